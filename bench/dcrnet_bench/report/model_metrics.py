"""What is told of one model."""

from __future__ import annotations

from dataclasses import dataclass, field

from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.profiling.instructions import InstructionCount
from dcrnet_bench.profiling.macs import MacCount
from dcrnet_bench.profiling.placement import Placement
from dcrnet_bench.report.tool_times import ToolTimes
from dcrnet_bench.timing.cold import ColdStart
from dcrnet_bench.timing.gpu.execution import GpuRun
from dcrnet_bench.timing.latency import Latency


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often a model is right, computed from its file on the machine that prints the report.

    Attributes:
        data: name of the data set's folder.
        split: the part of it.
        images: how many.
        accuracy: share of them, 0 to 1.
        interval: 95 %, by bootstrap.
        macro_f1: mean over the classes.
        calibration_error: expected, 15 bins.
    """

    data: str
    split: str
    images: int
    accuracy: float
    interval: tuple[float, float] | None
    macro_f1: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class ModelMetrics:
    """What is told of one model.

    Attributes:
        name: in the tables.
        path: of its file.
        format: of its file.
        sha256: of its file.
        size_mb: in 10^6 bytes.
        input_px: side of its square input.
        macs: multiply-accumulates of one crop; None where they could not be counted.
        macs_reason: why not, else empty.
        latency_ms: of one inference of its batch, with nothing between one and the next; None on
            an emulated processor.
        energy: of one inference.
        placement: who runs it.
        cold: its first load and inference; None on an emulated processor.
        macs_by_kind: ``macs``, by what multiplies; empty where they could not be counted.
        bytes_moved: were every node to read its inputs and write its outputs; None where they
            could not be counted.
        peak_share: the least time that its products need at the machine's measured peak, as a
            share of the median; None where either is not known.
        copy_share: the same of a copy of ``bytes_moved``.
        answer: probabilities that it gives to the first face, by label.
        instructions: that one inference executes; None where they are not counted.
        accuracy: None where no data set was named.
        batch: faces an inference takes at once.
        gpu: how it was run on a GPU; None elsewhere.
        tool: what another program measured in its own way; None where none was asked for.
        flops: 2 x ``macs``, one product and one sum each.
    """

    name: str
    path: str
    format: str
    sha256: str
    size_mb: float
    input_px: int
    macs: int | None
    macs_reason: str
    latency_ms: Latency | None
    energy: InferenceEnergy
    placement: Placement
    cold: ColdStart | None = None
    macs_by_kind: tuple[MacCount, ...] = ()
    bytes_moved: int | None = None
    peak_share: float | None = None
    copy_share: float | None = None
    answer: dict[str, float] = field(default_factory=dict)
    instructions: InstructionCount | None = None
    accuracy: Accuracy | None = None
    batch: int = 1
    gpu: GpuRun | None = None
    tool: ToolTimes | None = None
    flops: int | None = field(init=False)

    def __post_init__(self) -> None:
        flops = None if self.macs is None else 2 * self.macs
        object.__setattr__(self, "flops", flops)
