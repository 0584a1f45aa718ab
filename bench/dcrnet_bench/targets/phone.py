"""A board without Python, such as an Android phone, on which LiteRT's own program measures."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dcrnet_bench.boards.benchmark_model import BenchmarkRun, measure_model, send_program
from dcrnet_bench.boards.connection import Connection
from dcrnet_bench.boards.patience import PatientConnection
from dcrnet_bench.boards.probe import Board
from dcrnet_bench.boards.workspace import Workspace, workspace
from dcrnet_bench.host.device import Device
from dcrnet_bench.host.facts import Host
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.profiling.placement import Placement
from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.report.report import Report, RunFacts
from dcrnet_bench.report.tool_times import ToolTimes
from dcrnet_bench.targets.elsewhere import check_files, counted
from dcrnet_bench.targets.target import Plan
from dcrnet_bench.timing.sampling import Protocol
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.errors import DcrnetError

_ASK = (
    "getprop ro.soc.model; echo ---; getprop ro.product.model; echo ---;"
    " getprop ro.build.version.release; echo ---; uname -sr; echo ---; nproc; echo ---;"
    " sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo; echo ---;"
    " cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
)
_KB_PER_GB = 1e6 / 1.024
_NOTE = (
    "times are those of LiteRT's benchmark_model, in its own loop on inputs of noise: no answer is"
    " checked, and they stand under `tool`, since they follow none of this bench's rules"
)


@dataclass(frozen=True, slots=True)
class PhoneTarget:
    """A board that runs ``benchmark_model``.

    Attributes:
        device: as which it is measured.
        program: for that board, a file of this machine.
        connection: to it.
        board: what it is.
    """

    device: Device
    program: Path
    connection: Connection
    board: Board

    def measure(self, plan: Plan, warn: Callable[[str], None]) -> Report:
        """Send, measure there, parse, clear up.

        Args:
            plan: what; TFLite models only.
            warn: told of lost connections.

        Raises:
            DcrnetError: a model cannot be used, the program fails, or the board is lost.
        """
        check_files(plan)
        models = [_unmeasured(path) for path in plan.models]
        started_s, date = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
        with workspace(PatientConnection(self.connection, warn)) as there:
            host = _read_host(there, self.board)
            times = self._measure(there, plan)
        run = RunFacts(
            date=date,
            device=self.device.value,
            protocol=Protocol.TOOL,
            threads=plan.threads,
            runs=min(each.n for each in times),
            repeats=1,
            warm_up_rounds=plan.rule.warm_up_rounds,
            is_steady=True,
            source="noise",
            inputs=1,
            frame_px=(0, 0),
            detector="",
            face_count=0,
            peak_rss_mb=max((each.memory_mb or 0.0) for each in times),
            seconds=round(time.monotonic() - started_s, 1),
        )
        told = tuple(make(each) for make, each in zip(models, times, strict=True))
        return Report(host, run, told, (), (_NOTE,))

    def _measure(self, there: Workspace, plan: Plan) -> list[ToolTimes]:
        program, rule = send_program(there, self.program), plan.rule
        how = BenchmarkRun(
            plan.threads, rule.samples, rule.seconds, rule.warm_up_rounds, rule.warm_up_s
        )
        times = []
        for number, path in enumerate(plan.models):
            model = there.push(path, f"models/{number}/{path.name}")
            times.append(measure_model(there, program, model, how, number))
        return times


def _unmeasured(path: Path) -> Callable[[ToolTimes], ModelMetrics]:
    """What is told of a model, but for its times."""
    model = load_model(path)
    if model.format is not ModelFormat.TFLITE:
        raise DcrnetError(
            f"`benchmark_model` runs TFLite models only, {path} is {model.format}: name the"
            " .tflite that dcrnet-export wrote beside it"
        )
    content = path.read_bytes()

    def metrics(times: ToolTimes) -> ModelMetrics:
        return counted(
            ModelMetrics(
                name=path.name,
                path=str(path),
                format=model.format.value,
                sha256=hashlib.sha256(content).hexdigest(),
                size_mb=len(content) / 1e6,
                input_px=model.card.preprocess.size_px,
                macs=None,
                macs_reason="its graph cannot be read",
                latency_ms=None,
                energy=InferenceEnergy(reason="benchmark_model measures none"),
                placement=Placement("LiteRT, XNNPACK", reason="benchmark_model does not tell"),
                tool=times,
            )
        )

    return metrics


def _read_host(there: Workspace, board: Board) -> Host:
    told = [part.strip() for part in there.run(f"{{ {_ASK}; }} 2>/dev/null; true").split("---")]
    soc, product, release, kernel, cores, memory_kb, governor = told
    return Host(
        cpu=soc or product or "unknown",
        machine=board.machine,
        cores=int(cores) if cores.isdigit() else 0,
        governor=governor,
        ram_gb=round(int(memory_kb) / _KB_PER_GB, 2) if memory_kb.isdigit() else 0.0,
        system=f"Android {release} ({kernel})" if release else kernel,
        python="",
        packages={},
        emulator="",
        soc=soc,
        board=product,
    )
