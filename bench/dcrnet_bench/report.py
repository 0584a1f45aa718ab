"""What was measured, as data and as one JSON object for scripts."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from dcrnet_bench.host.facts import Host
from dcrnet_bench.profiling.macs import MacCount
from dcrnet_bench.profiling.operators import OperatorTime
from dcrnet_bench.profiling.peak import MachinePeak
from dcrnet_bench.timing.clock import Latency
from dcrnet_bench.timing.stage import StageLatency
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.version import __version__

SCHEMA = 1
_DECIMALS = 4
_RUN_KEYS = {"detector": "finder"}
"""What attributes of the run are called in the JSON, where a reader knows another name."""


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
        energy_j: added to the idle machine's by one inference; None where not measured.
        latency: of one inference of one crop.
        macs_by_kind: ``macs``, by what multiplies; empty where they could not be counted.
        bytes_moved: were every node to read its inputs and write its outputs; None where they
            could not be counted.
    """

    name: str
    path: str
    format: str
    sha256: str
    size_mb: float
    input_px: int
    macs: int | None
    macs_reason: str
    energy_j: float | None
    latency: Latency
    macs_by_kind: tuple[MacCount, ...] = ()
    bytes_moved: int | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """How the figures came about.

    Attributes:
        date: ISO 8601, UTC.
        device: what was asked for.
        threads: of each model and of OpenCV.
        runs: timed rounds.
        warm_up_rounds: untimed ones before.
        is_steady: whether the times had settled by then.
        source: what the frame shows.
        frame_px: its width and height.
        detector: who looked for faces.
        face_count: how many it saw; finding takes longer with each.
        load_before: 1-minute load average before the run.
        load_after: the same behind it.
        peak_rss_mb: most memory of the whole process, all models loaded, in 10^6 bytes.
    """

    date: str
    device: str
    threads: int
    runs: int
    warm_up_rounds: int
    is_steady: bool
    source: str
    frame_px: tuple[int, int]
    detector: str
    face_count: int
    load_before: float
    load_after: float
    peak_rss_mb: float


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the command.

    Attributes:
        host: where.
        run: how.
        models: what is told of each.
        stages: what each part of the pipeline took.
        notes: what limits the figures.
        operators: what each type took; empty where not asked for.
        peak: what the machine can do at most; None where not asked for.
    """

    host: Host
    run: RunFacts
    models: tuple[ModelMetrics, ...]
    stages: tuple[StageLatency, ...]
    notes: tuple[str, ...]
    operators: tuple[OperatorTime, ...] = ()
    peak: MachinePeak | None = None

    def to_json(self) -> str:
        """One line; times stand under ``latency_ms``, or ``emulated_ms`` where it is none."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "version": __version__,
                "host": asdict(self.host),
                "run": {_RUN_KEYS.get(k, k): value for k, value in asdict(self.run).items()},
                "models": [self._model_values(model) for model in self.models],
                "stages": [
                    {"stage": s.stage.value, "model": s.model, **self._times(s.latency)}
                    for s in self.stages
                ],
                "operators": [self._operator_values(row) for row in self.operators],
                "peak": None if self.peak is None else asdict(self.peak),
                "notes": self.notes,
            }
        )

    def _operator_values(self, row: OperatorTime) -> dict[str, object]:
        values = asdict(row)
        del values["median_ms"]
        return {**values, self._time_key(): {"median": round(row.median_ms, _DECIMALS)}}

    def _model_values(self, model: ModelMetrics) -> dict[str, object]:
        values = asdict(model)
        del values["latency"]
        flops = None if model.macs is None else 2 * model.macs
        return {**values, "flops": flops, **self._times(model.latency)}

    def _times(self, latency: Latency) -> dict[str, dict[str, float]]:
        return {
            self._time_key(): {
                "median": round(latency.median_ms, _DECIMALS),
                "p90": round(latency.p90_ms, _DECIMALS),
                "min": round(latency.min_ms, _DECIMALS),
            }
        }

    def _time_key(self) -> str:
        return "emulated_ms" if self.host.emulator else "latency_ms"


def check_writable(path: Path) -> None:
    """Make sure that ``path`` can be written before minutes are spent on measuring.

    Raises:
        DcrnetError: it cannot.
    """
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise DcrnetError(
            f"`json_file` {path} cannot be written: name a file in a writable folder"
        )


def write(report: Report, path: Path) -> None:
    """Write the JSON object to ``path``.

    Raises:
        DcrnetError: the folder cannot be written.
    """
    with written_beside(path) as beside:
        beside.write_text(report.to_json() + "\n")
