"""Where a model's time goes, by operator type, from ONNX Runtime's own profile."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

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
    for event in _profile(path, crop, threads, runs):
        if event.get("cat") == "Node" and event["name"].endswith(_KERNEL):
            arguments = event["args"]
            durations[arguments["op_name"], arguments["node_index"]].append(event["dur"])
    by_type: dict[str, list[float]] = defaultdict(list)
    for (operator, _), times_us in durations.items():
        by_type[operator].append(median(times_us[_WARM_UP:]) / _US_PER_MS)
    rows = [OperatorTime(name, each, len(ms), sum(ms)) for each, ms in by_type.items()]
    return sorted(rows, key=lambda row: -row.median_ms)


def _profile(
    path: Path, crop: NDArray[np.uint8], threads: int, runs: int
) -> Sequence[dict[str, Any]]:
    import onnxruntime

    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        feed = {session.get_inputs()[0].name: crop}
        for _ in range(_WARM_UP + runs):
            session.run(None, feed)
        events: Sequence[dict[str, Any]] = json.loads(Path(session.end_profiling()).read_text())
        return events
