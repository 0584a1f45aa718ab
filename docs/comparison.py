"""The live loop beside what one would write by hand, and beside PyPI's fer, on one clip.

    python docs/baselines.py --calib DIR --size 128 --out baselines
    python -m venv fer-env && fer-env/bin/pip install fer
    python docs/comparison.py clip.mp4 --model baselines/stock-128-fp32.onnx \\
        --fer-python fer-env/bin/python

Each contender runs in a process of its own on the same ``--threads`` processor cores, with as
many threads; they take turns, and the medians of all turns are printed as Markdown, all turns as
a last line of JSON. Twice a turn: as fast as it can over the file (frames a second, processor
time, memory, frames with a face), and with the clip played as a camera would give it (delay from
a frame's due time to its answer, late frames skipped for everybody). Linux only.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from dcrnet_bench.targets.host import read_host

CONTENDER = Path(__file__).with_name("contender.py")
LIMITS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
TITLES = {
    "ours": "`dcrnet-run`'s loop",
    "by hand": "MediaPipe mesh + PIL + onnxruntime fp32",
    "fer": "PyPI `fer`",
}
Run = dict[str, Any]


def main(
    clip: Annotated[Path, typer.Argument(help="A video of a face.", exists=True)],
    model: Annotated[
        Path | None, typer.Option(help="The float model, from docs/baselines.py.", exists=True)
    ] = None,
    fer_python: Annotated[
        Path | None, typer.Option(help="Interpreter that can import fer.", exists=True)
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Timed ones a run.")] = 120,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each contender.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Of each contender, and cores.")] = 1,
    prefix: Annotated[str, typer.Option(help="Put before each run, such as 'nice -n -5'.")] = "",
) -> None:
    """Print the table."""
    pythons = {"ours": sys.executable}
    if model is not None:
        pythons["by hand"] = sys.executable
    if fer_python is not None:
        pythons["fer"] = str(fer_python)
    runs: list[Run] = []
    for _ in range(rounds):
        for name, python in pythons.items():
            for pace in ("file", "paced"):
                # Not resolved: an environment's interpreter is a link that must keep its name.
                command = [*shlex.split(prefix), python, CONTENDER, name, clip, pace, frames]
                runs.append(run([*map(str, command), str(threads), str(model or "")], threads))
    host = read_host()
    typer.echo(f"{host.cpu}, {threads} core(s) and thread(s) each, {clip.name}\n")
    typer.echo(table(runs))
    typer.echo(json.dumps({"threads": threads, "runs": runs}))


def run(command: Sequence[str], threads: int) -> Run:
    """One run's figures; a contender that fails ends the comparison with what it said."""
    limits = {**os.environ, **dict.fromkeys(LIMITS, str(threads)), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=limits, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        typer.echo(done.stderr[-2000:], err=True)
        raise typer.Exit(2)
    metrics: Run = json.loads(lines[-1])
    return metrics


def table(runs: Sequence[Run]) -> str:
    """Markdown, medians over the turns."""
    rows = [
        "| | frames/s | delay, ms | CPU ms a frame | peak MB | frames with a face |",
        "|---|---|---|---|---|---|",
    ]
    for name, title in TITLES.items():
        mine = [one for one in runs if one["contender"] == name]
        if not mine:
            rows.append(f"| {title} | not measured | | | | |")
            continue
        file = [one for one in mine if not one["is_paced"]]
        paced = [one for one in mine if one["is_paced"]]
        cells = (
            f"{middle(file, 'fps'):.1f}",
            f"{middle(paced, 'delay_ms'):.0f} (p90 {middle(paced, 'delay_p90_ms'):.0f})",
            f"{middle(file, 'cpu_ms'):.1f}",
            f"{max(one['peak_mb'] for one in file):.0f}",
            f"{middle(file, 'with_face'):.0%}",
        )
        rows.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(rows)


def middle(runs: Sequence[Run], figure: str) -> float:
    """The median of a figure."""
    return float(median(one[figure] for one in runs))


if __name__ == "__main__":
    typer.run(main)
