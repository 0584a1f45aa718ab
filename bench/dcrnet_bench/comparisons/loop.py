"""The live loop beside what one would write by hand, and beside PyPI's fer, on one clip.

    python -m dcrnet_export.baselines --calib DIR --size 128 --out baselines
    python -m venv fer-env && fer-env/bin/pip install fer
    python -m dcrnet_bench.comparisons.loop clip.mp4 --model baselines/stock-128-fp32.onnx \\
        --python fer=fer-env/bin/python

Each competitor runs in a process of its own on the same ``--threads`` processor cores, with as
many threads; they take turns, and the medians of all turns are printed as Markdown, all turns as
a last line of JSON. Twice a turn: as fast as it can over the file (frames a second, processor
time, memory, frames with a face), and with the clip played as a camera would give it (delay from
a frame's due time to its answer, late frames skipped for everybody). Linux only.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from dcrnet_bench.comparisons.interpreter import LIMITS, named_interpreters, run_worker
from dcrnet_bench.comparisons.registry import COMPETITORS
from dcrnet_bench.comparisons.trial import Trial, TrialResult
from dcrnet_bench.host.facts import read_host
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported
from dcrnet_runtime.errors import DcrnetError

app = command_app()


@app.command()
@reported
def loop(
    clip: Annotated[Path, typer.Argument(help="A video of a face.", exists=True)],
    model: Annotated[
        Path | None, typer.Option(help="The float model, of dcrnet_export.baselines.", exists=True)
    ] = None,
    python: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE", help="A competitor's interpreter, such as fer=fer-env/bin/python."
        ),
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Timed ones a run.")] = 120,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each competitor.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Of each competitor, and cores.")] = 1,
    prefix: Annotated[str, typer.Option(help="Put before each run, such as 'nice -n -5'.")] = "",
) -> None:
    """Print the table."""
    model_file = str(model or "")
    pythons = at_hand(named_interpreters(python or [], COMPETITORS), has_model=model is not None)
    before = _words(prefix)
    trials = [
        Trial(
            name, str(COMPETITORS[name].script), str(clip), is_paced, frames, threads, model_file
        )
        for _ in range(rounds)
        for name in pythons
        for is_paced in (False, True)
    ]
    results = [_run(trial, pythons[trial.competitor], before) for trial in trials]
    typer.echo(f"{read_host().cpu}, {threads} core(s) and thread(s) each, {clip.name}\n")
    typer.echo(table(results))
    typer.echo(json.dumps({"threads": threads, "runs": [*map(_values, results)]}))


def at_hand(pythons: Mapping[str, Path], has_model: bool) -> dict[str, Path]:
    """The interpreters of the competitors that have all they need."""
    return {
        name: pythons.get(name, Path(sys.executable))
        for name, competitor in COMPETITORS.items()
        if (name in pythons or not competitor.needs_python)
        and (has_model or not competitor.needs_model)
    }


def _run(trial: Trial, python: Path, prefix: Sequence[str]) -> TrialResult:
    limits = {**dict.fromkeys(LIMITS, str(trial.threads)), "TF_CPP_MIN_LOG_LEVEL": "3"}
    line = run_worker(
        python,
        "loop_trial",
        [json.dumps(asdict(trial))],
        rival=trial.competitor,
        environment=limits,
        prefix=prefix,
    )
    return TrialResult(**json.loads(line))


def _words(prefix: str) -> list[str]:
    try:
        return shlex.split(prefix)
    except ValueError as error:
        raise DcrnetError(f"`prefix` {prefix}: {error}: close the quotation") from error


def table(results: Sequence[TrialResult]) -> str:
    """Markdown, medians over the turns."""
    rows = [
        "| | frames/s | delay, ms | CPU ms a frame | peak MB | frames with a face |",
        "|---|---|---|---|---|---|",
    ]
    for name, competitor in COMPETITORS.items():
        mine = [each for each in results if each.competitor == name]
        rows.append(f"| {competitor.title} | {' | '.join(_cells(mine))} |")
    return "\n".join(rows)


def _cells(results: Sequence[TrialResult]) -> list[str]:
    if not results:
        return ["not measured", "", "", "", ""]
    file = [each for each in results if not each.is_paced]
    paced = [each for each in results if each.is_paced]
    delay_ms = median(each.delay_ms or 0.0 for each in paced)
    delay_p90_ms = median(each.delay_p90_ms or 0.0 for each in paced)
    return [
        f"{median(each.fps for each in file):.1f}",
        f"{delay_ms:.0f} (p90 {delay_p90_ms:.0f})",
        f"{median(each.cpu_ms for each in file):.1f}",
        f"{max(each.peak_mb for each in file):.0f}",
        f"{median(each.with_face for each in file):.0%}",
    ]


def _values(result: TrialResult) -> dict[str, object]:
    """For JSON, whose readers know a competitor as a contender."""
    values = asdict(result)
    return {"contender": values.pop("competitor"), **values}


if __name__ == "__main__":
    app()
