"""How a network is run on a GPU."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dcrnet_bench.timing.latency import Latency


class Execution(StrEnum):
    """Who starts the kernels.

    ``eager`` is the host, one after another; ``cuda graph`` is the card itself, which replays all
    of them after one start. What the first takes longer is the host's.
    """

    EAGER = "eager"
    GRAPH = "cuda graph"


class GpuPrecision(StrEnum):
    """What convolutions and products are computed in.

    ``tf32`` is float32 in memory with factors rounded to 10 bits of mantissa in the tensor cores;
    ``fp32`` has that switched off; ``int8`` is an integer file, of which CUDA has few operators.
    """

    FP32 = "fp32"
    TF32 = "tf32"
    FP16 = "fp16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class GpuRow:
    """One way of running one network.

    Attributes:
        engine: ``onnxruntime`` or ``torch``.
        execution: who starts the kernels.
        precision: what is computed in.
        batch: faces an inference.
    """

    engine: str
    execution: Execution
    precision: GpuPrecision
    batch: int

    @property
    def name(self) -> str:
        """For tables, such as ``torch, cuda graph, tf32, batch 32``."""
        return f"{self.engine}, {self.execution}, {self.precision}, batch {self.batch}"


@dataclass(frozen=True, slots=True)
class LaunchGap:
    """What starting kernels one by one costs, in rounds in which both ways took a turn.

    Attributes:
        model: its name.
        engine: who runs it.
        precision: what is computed in.
        batch: faces an inference.
        eager_ms: median.
        graph_ms: median.
        gap_ms: median of the rounds' differences: what the host's starting adds.
        ratio: median of the rounds' ratios, eager to graph.
    """

    model: str
    engine: str
    precision: GpuPrecision
    batch: int
    eager_ms: float
    graph_ms: float
    gap_ms: float
    ratio: float


@dataclass(frozen=True, slots=True)
class GpuRun:
    """How a model's figures on a GPU came about.

    Attributes:
        engine: ``onnxruntime`` or ``torch``.
        execution: who starts the kernels.
        precision: what is computed in.
        with_copies_ms: an inference with its crops copied to the card and its answers back.
        face_ms: median without the copies, divided by the faces of an inference.
        answer_difference: the most by which a probability is off the CPU's, over all inputs.
    """

    engine: str
    execution: Execution
    precision: GpuPrecision
    with_copies_ms: Latency
    face_ms: float
    answer_difference: float
