"""One run of the bench."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from dcrnet_bench.host.facts import Host
from dcrnet_bench.host.preflight import Preflight
from dcrnet_bench.profiling.operators import OperatorTime
from dcrnet_bench.profiling.peak import MachinePeak
from dcrnet_bench.report.codec import from_values
from dcrnet_bench.report.gpu import GpuReport
from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.report.ratio import Ratio
from dcrnet_bench.timing.sampling import Protocol
from dcrnet_bench.timing.stage import StageLatency
from dcrnet_bench.timing.sustained import SustainedRun
from dcrnet_runtime.version import __version__

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class RunFacts:
    """How the figures came about.

    Attributes:
        date: ISO 8601, UTC.
        device: what was asked for.
        protocol: by which rule samples were taken; only those of ``full`` may be published.
        threads: of each model and of OpenCV.
        runs: timed rounds of the models, of all repeats.
        repeats: how often the whole measurement was done.
        warm_up_rounds: untimed ones before the first repeat.
        is_steady: whether the times had settled by then, in each repeat.
        source: what the frames show.
        inputs: different frames that took turns.
        frame_px: their width and height.
        detector: who looked for faces.
        face_count: how many it saw in the frame with the fewest; finding takes longer with each.
        peak_rss_mb: most memory of the whole process, all models loaded, in 10^6 bytes.
        seconds: that the measurement took.
    """

    date: str
    device: str
    protocol: Protocol
    threads: int
    runs: int
    repeats: int
    warm_up_rounds: int
    is_steady: bool
    source: str
    inputs: int
    frame_px: tuple[int, int]
    detector: str
    face_count: int
    peak_rss_mb: float
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the command.

    Attributes:
        host: where.
        run: how.
        models: what is told of each.
        stages: what each part of the pipeline took.
        notes: what limits the figures.
        preflight: the machine's state before and after; None where it cannot be told.
        operators: what each type took; empty where not asked for.
        peak: what the machine can do at most; None where not measured.
        ratios: of each model to the baseline; empty where none was named.
        sustained: each model under load for a while; empty where not asked for.
        gpu: the card and the host's part in its times; None of another device.
        schema: of this document.
        version: of dcrnet-edge.
        emulated: whether an emulator plays the processor; times and energy are then None.
    """

    host: Host
    run: RunFacts
    models: tuple[ModelMetrics, ...]
    stages: tuple[StageLatency, ...]
    notes: tuple[str, ...]
    preflight: Preflight | None = None
    operators: tuple[OperatorTime, ...] = ()
    peak: MachinePeak | None = None
    ratios: tuple[Ratio, ...] = ()
    sustained: tuple[SustainedRun, ...] = ()
    gpu: GpuReport | None = None
    schema: int = SCHEMA
    version: str = __version__
    emulated: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "emulated", bool(self.host.emulator))

    def to_json(self) -> str:
        """One line."""
        values = asdict(self)
        first = {key: values.pop(key) for key in ("schema", "version", "emulated")}
        return json.dumps({**first, **values}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """What :meth:`to_json` wrote, of this schema.

        Raises:
            ValueError: it is another document; says what is wrong with it.
        """
        try:
            values = json.loads(text)
        except RecursionError as error:
            raise ValueError("it is nested without an end") from error
        if not isinstance(values, dict) or "schema" not in values:
            raise ValueError("it has no `schema`")
        if values["schema"] != SCHEMA:
            raise ValueError(f"its schema is {values['schema']}, this version's {SCHEMA}")
        return from_values(cls, values)
