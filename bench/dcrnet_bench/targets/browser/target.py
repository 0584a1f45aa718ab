"""A phone that has nothing installed: its browser measures, and tells once."""

from __future__ import annotations

import json
import secrets
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import cv2

from dcrnet_bench.host.device import Device
from dcrnet_bench.host.facts import Host
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.profiling.placement import Placement
from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.report.report import Report, RunFacts
from dcrnet_bench.targets.browser.told import MAX_ROUNDS, PageReport
from dcrnet_bench.targets.elsewhere import check_files, counted
from dcrnet_bench.targets.target import Plan
from dcrnet_bench.timing.sampling import Protocol
from dcrnet_bench.timing.scene import FRAME_PX, open_scenes
from dcrnet_bench.timing.stage import StageLatency, TimedStage
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.browser import engine
from dcrnet_runtime.browser.folder import write_page
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command

PATIENCE_S = 600.0
_MOST_SCENES = 8
_ANY_HOST = "0.0.0.0"
_NOTES = (
    "target: browser; its clock has steps of 5 us to 1 ms, what else the phone did is not known",
    "what the page told was checked for its form: that it is true rests on the phone",
)


@dataclass(frozen=True, slots=True)
class BrowserTarget:
    """Whichever phone opens the address.

    Attributes:
        device: as which it is measured.
        host: to listen on.
        patience_s: until no report is waited for any more.
    """

    device: Device
    host: str = _ANY_HOST
    patience_s: float = PATIENCE_S

    @classmethod
    def open(cls, device: Device) -> BrowserTarget:
        """For any phone.

        Raises:
            DcrnetError: what serves the page is not installed.
        """
        try:
            import starlette  # noqa: F401
            import uvicorn  # noqa: F401
        except ImportError as error:
            raise DcrnetError(
                f"`device` phone needs Starlette and uvicorn: {extra_command('serve')}"
            ) from error
        return cls(device)

    def measure(self, plan: Plan, warn: Callable[[str], None]) -> Report:
        """Serve the page, tell where, and wait for its report.

        Args:
            plan: what; one TFLite model.
            warn: told the address, and what limits the figures.

        Raises:
            DcrnetError: the model cannot be used, or no report came.
        """
        from dcrnet_bench.targets.browser.session import Session

        check_files(plan)
        path = _only_model(plan)
        _check_rounds(plan)
        model = load_model(path)
        started_s, date = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
        with tempfile.TemporaryDirectory(prefix="dcrnet-phone-") as temporary:
            folder = Path(temporary)
            write_page(folder, model, path)
            source, inputs = _write_scenes(folder, plan)
            listening = socket.create_server((self.host, 0))
            token = secrets.token_urlsafe(16)
            warn(invitation(listening.getsockname()[1], self.host, plan.threads, token))
            told = Session(folder, token).wait(listening, self.patience_s)
        run = RunFacts(
            date=date,
            device=self.device.value,
            protocol=Protocol.QUICK if plan.is_quick else Protocol.RUNS,
            threads=told.threads,
            runs=told.model.n,
            repeats=1,
            warm_up_rounds=told.warm_up_rounds,
            is_steady=False,  # nobody looked
            source=source,
            inputs=inputs,
            frame_px=FRAME_PX,
            detector="MediaPipe networks on LiteRT.js",
            face_count=1,
            peak_rss_mb=0.0,
            seconds=round(time.monotonic() - started_s, 1),
        )
        stages = tuple(
            StageLatency(stage, path.name if stage is TimedStage.INFER else "", latency)
            for stage, latency in told.stages.items()
        )
        notes = [*_NOTES, *_fewer_threads(told, plan)]
        return Report(_host(told), run, (_metrics(path, model, told),), stages, tuple(notes))


def _only_model(plan: Plan) -> Path:
    if len(plan.models) != 1:
        raise DcrnetError("`device` phone measures one model: name one TFLite file")
    return plan.models[0]


def _check_rounds(plan: Plan) -> None:
    rounds = plan.rule.samples
    if rounds > MAX_ROUNDS:
        raise DcrnetError(f"`runs` {rounds} is more than a phone's report holds: {MAX_ROUNDS}")


def _write_scenes(folder: Path, plan: Plan) -> tuple[str, int]:
    """The frames that take turns, and how often; gives what they show and how many they are."""
    rule = plan.rule
    scenes = open_scenes(plan.source)[:_MOST_SCENES]
    names = [f"scene-{number}.png" for number in range(len(scenes))]
    for name, scene in zip(names, scenes, strict=True):
        cv2.imwrite(str(folder / name), scene.rgb[:, :, ::-1])
    wish = {
        "scenes": names,
        "rounds": rule.samples,
        "warm_up_rounds": rule.warm_up_rounds,
    }
    (folder / "bench.json").write_text(json.dumps(wish))
    return scenes[0].name, len(scenes)


def invitation(port: int, host: str, threads: int, token: str) -> str:
    """Where to go, and a QR code of it."""
    path = f"?threads={threads}#report={token}"
    here = f"http://localhost:{port}/{path}"
    there = f"http://{_own_address() if host == _ANY_HOST else host}:{port}/{path}"
    lines = [
        f"open this on a phone in the same network within {PATIENCE_S / 60:.0f} minutes:",
        there,
        *_qr_lines(there),
        f"or by cable, which allows more than one thread: adb reverse tcp:{port} tcp:{port}, then",
        here,
    ]
    return "\n".join(lines)


def _qr_lines(text: str) -> list[str]:
    try:
        import segno
    except ImportError:
        return [f"({extra_command('bench')} for a QR code)"]
    import io

    drawn = io.StringIO()
    segno.make(text, micro=False).terminal(drawn, compact=True)
    return drawn.getvalue().splitlines()


def _own_address() -> str:
    """The address by which others reach this machine; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # for documentation only: RFC 5737
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def _fewer_threads(told: PageReport, plan: Plan) -> list[str]:
    if told.threads >= plan.threads:
        return []
    return [
        f"{told.threads} of the {plan.threads} threads that were asked for: a browser gives more"
        " than one to localhost and HTTPS alone"
    ]


def _metrics(path: Path, model: Model, told: PageReport) -> ModelMetrics:
    labels = model.card.labels
    if len(told.answer) != len(labels):
        raise DcrnetError(f"the phone told {len(told.answer)} probabilities, not {len(labels)}")
    content = path.read_bytes()
    threads = "1 thread" if told.threads == 1 else f"{told.threads} threads"
    runs_on = f"browser, LiteRT.js {engine.VERSION}, {threads}, {told.simd} SIMD"
    return counted(
        ModelMetrics(
            name=path.name,
            path=str(path),
            format=model.format.value,
            sha256=sha256(content).hexdigest(),
            size_mb=len(content) / 1e6,
            input_px=model.card.preprocess.size_px,
            macs=None,
            macs_reason="its graph cannot be read",
            latency_ms=told.model,
            energy=InferenceEnergy(reason="a browser tells none"),
            placement=Placement(runs_on, reason="LiteRT.js does not tell who runs its nodes"),
            answer=dict(zip(labels, told.answer, strict=True)),
        )
    )


def _host(told: PageReport) -> Host:
    return Host(
        cpu="unknown",
        machine="browser",
        cores=told.cores,
        governor="",
        ram_gb=0.0,
        system=told.user_agent,
        python="",
        packages={"@litertjs/core": engine.VERSION},
        emulator="",
    )
