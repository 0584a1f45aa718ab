"""LiteRT's ``benchmark_model`` on a board without Python, as an Android phone is one.

The program is the user's: https://ai.google.dev/edge/litert/models/measurement has it for Android.
Its lines are those of its ``BenchmarkLoggingListener`` (tensorflow/lite/tools/benchmark).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.boards.job import run_job
from dcrnet_bench.boards.workspace import Workspace
from dcrnet_bench.report.tool_times import ToolTimes
from dcrnet_runtime.errors import DcrnetError

_NUMBER = r"([\d.]+(?:e[+-]?\d+)?)"
_STATISTICS = re.compile(r"count=\d+ .*")
_FIELD = re.compile(rf"(\w+)={_NUMBER}")
_TIMINGS = re.compile(
    rf"Inference timings in us: Init: {_NUMBER}, First inference: {_NUMBER},"
    rf" Warmup \(avg\): {_NUMBER}, Inference \(avg\): {_NUMBER}"
)
_MEMORY = re.compile(rf"[Mm]emory footprint.*\(MB\): init={_NUMBER} overall={_NUMBER}")
_LIMIT_S = 900.0
_US_PER_MS = 1000.0


@dataclass(frozen=True, slots=True)
class BenchmarkRun:
    """How the program is to measure.

    Attributes:
        threads: of the interpreter.
        runs: at least.
        seconds: at least.
        warm_up_runs: before, at least.
        warm_up_seconds: before, at least.
    """

    threads: int
    runs: int
    seconds: float
    warm_up_runs: int
    warm_up_seconds: float

    @property
    def options(self) -> str:
        """The program's, all of them on one CPU path."""
        return (
            f"--num_threads={self.threads} --num_runs={self.runs} --min_secs={self.seconds:g}"
            f" --max_secs={max(150.0, 3 * self.seconds):g} --warmup_runs={self.warm_up_runs}"
            f" --warmup_min_secs={self.warm_up_seconds:g} --use_xnnpack=true"
        )


def send_program(place: Workspace, program: Path) -> str:
    """Push the program; its path there.

    Raises:
        DcrnetError: it cannot be read, or the board is lost or has no room.
    """
    if not program.is_file():
        raise DcrnetError(
            f"`benchmark_model` {program} is no file: name LiteRT's program, built for the board"
        )
    remote = place.push(program, "benchmark_model")
    place.run(f"chmod 700 {shlex.quote(remote)}")
    return remote


def measure_model(
    place: Workspace, program: str, model: str, how: BenchmarkRun, number: int
) -> ToolTimes:
    """What the program tells of one model there.

    Raises:
        DcrnetError: it failed or told nothing, or the board is lost.
    """
    name = place.connection.name
    said = run_job(
        place,
        f"model-{number}",
        f"{shlex.quote(program)} --graph={shlex.quote(model)} {how.options}",
        what=f"benchmark_model on {name}",
        limit_s=_LIMIT_S + 6 * how.seconds,
    )
    return parse_output(said)


def parse_output(text: str) -> ToolTimes:
    """What ``benchmark_model`` printed.

    Raises:
        DcrnetError: it holds no times.
    """
    statistics = _STATISTICS.findall(text)
    timings, memory = _TIMINGS.search(text), _MEMORY.search(text)
    if not statistics or timings is None:
        last = (text.strip() or "nothing").splitlines()[-1]
        raise DcrnetError(
            f"benchmark_model told no times ({last}): run it by hand on the board, and name one of"
            " LiteRT 2 or TensorFlow Lite 2.4 or later"
        )
    told = dict(_FIELD.findall(statistics[-1]))

    def ms(name: str) -> float | None:
        return float(told[name]) / _US_PER_MS if name in told else None

    return ToolTimes(
        tool="benchmark_model",
        mean_ms=float(timings[4]) / _US_PER_MS,
        n=int(told["count"]),
        load_ms=float(timings[1]) / _US_PER_MS,
        first_ms=float(timings[2]) / _US_PER_MS,
        min_ms=ms("min"),
        max_ms=ms("max"),
        sd_ms=ms("std"),
        median_ms=ms("median"),
        p5_ms=ms("p5"),
        p95_ms=ms("p95"),
        memory_mb=float(memory[2]) if memory else None,
    )
