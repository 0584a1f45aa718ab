"""Where a model's time goes, by operator type, from ONNX Runtime's own profile."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

_US_PER_MS = 1e3
_WARM_UP = 5
_KERNEL = "_kernel_time"


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """What the operators of one type take together.

    Attributes:
        model: its name.
        operator: ONNX's name of the type, after ONNX Runtime's own rewriting of the graph.
        nodes: how many there are.
        median_ms: of one inference, the sum of each node's median; the clock that the profile
            reads at every node is in it.
    """

    model: str
    operator: str
    nodes: int
    median_ms: float


def operator_times(
    name: str, path: Path, crop: NDArray[np.uint8], threads: int, runs: int
) -> list[OperatorTime]:
    """Profile an ONNX model.

    Args:
        name: of the model, for the result.
        path: of its file.
        crop: (1, S, S, 3) uint8 RGB.
        threads: of the model.
        runs: profiled inferences, after a few of warm-up.

    Returns:
        the types, the costliest first.
    """
    durations: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in profiled_nodes(path, crop, threads, _WARM_UP + runs):
        durations[each.operator, each.node].append(each.duration_us)
    by_type: dict[str, list[float]] = defaultdict(list)
    for (operator, _), times_us in durations.items():
        by_type[operator].append(median(times_us[_WARM_UP:]) / _US_PER_MS)
    rows = [OperatorTime(name, each, len(ms), sum(ms)) for each, ms in by_type.items()]
    return sorted(rows, key=lambda row: -row.median_ms)


@dataclass(frozen=True, slots=True)
class NodeRun:
    """One run of one node.

    Attributes:
        operator: its type.
        node: its number in the graph.
        duration_us: of its kernel.
        provider: who ran it.
    """

    operator: str
    node: str
    duration_us: float
    provider: str


def profiled_nodes(
    path: Path,
    crop: NDArray[np.uint8],
    threads: int = 1,
    runs: int = 1,
    providers: Sequence[str] = ("CPUExecutionProvider",),
) -> Iterator[NodeRun]:
    """Each run of each node in some inferences of an ONNX model.

    Args:
        path: of its file.
        crop: (1, S, S, 3) uint8 RGB.
        threads: of the model.
        runs: inferences.
        providers: ONNX Runtime's names, in order of preference.
    """
    import onnxruntime

    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        session = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
        feed = {session.get_inputs()[0].name: crop}
        for _ in range(runs):
            session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text())
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(_KERNEL):
            arguments = event["args"]
            operator, node = arguments["op_name"], arguments["node_index"]
            yield NodeRun(operator, node, event["dur"], arguments["provider"])
