"""An archive of photos answered by ours and by PyPI's fer, on one core each.

    python -m venv fer-env && fer-env/bin/pip install fer
    python -m dcrnet_bench.comparisons.photos photos/ --python fer=fer-env/bin/python

Each competitor runs in a process of its own with one thread on one processor core; they take
turns, and the medians of all turns are printed as Markdown, all turns as a last line of JSON.
Processor time is counted, so that a machine that others use as well disturbs little. Linux only.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from dcrnet_bench.comparisons.interpreter import LIMITS, named_interpreters, run_worker
from dcrnet_bench.comparisons.photo_trial import PhotoTrial, PhotoTrialResult
from dcrnet_bench.comparisons.registry import PHOTO_COMPETITORS
from dcrnet_bench.host.facts import read_host
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import IMAGE_SUFFIXES

_FEWEST = 20  # half of them to warm up by

app = command_app()


@app.command()
@reported
def photos(
    folder: Annotated[Path, typer.Argument(help="With photos.", exists=True)],
    python: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE", help="A competitor's interpreter, such as fer=fer-env/bin/python."
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=_FEWEST, help="Photos, the first by name.")] = 400,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each competitor.")] = 2,
) -> None:
    """Print the table."""
    own = {name: each.needs_python for name, each in PHOTO_COMPETITORS.items()}
    pythons = named_interpreters(python or [], list(own))
    chosen = _photos(folder, count)
    names = [name for name, needs_python in own.items() if name in pythons or not needs_python]
    results = [
        _run(name, chosen, pythons.get(name, Path(sys.executable)))
        for _ in range(rounds)
        for name in names
    ]
    typer.echo(f"{read_host().cpu}, one core and thread each, {len(chosen)} photos\n")
    typer.echo(table(results))
    typer.echo(json.dumps({"runs": [*map(asdict, results)]}))


def _photos(folder: Path, count: int) -> list[Path]:
    """The folder's first photos.

    Raises:
        DcrnetError: they are too few, or it is no folder.
    """
    if not folder.is_dir():
        raise DcrnetError(f"{folder} is no folder: name one with photos")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    chosen = [*islice(found, count)]
    if len(chosen) < _FEWEST:
        raise DcrnetError(
            f"{folder} holds {len(chosen)} photos, of which the first ten only warm up: name one"
            f" with {_FEWEST} or more"
        )
    return chosen


def _run(name: str, chosen: Sequence[Path], python: Path) -> PhotoTrialResult:
    competitor = PHOTO_COMPETITORS[name]
    paths = tuple(str(path) for path in chosen)
    trial = PhotoTrial(name, str(competitor.script), competitor.variant, paths)
    limits = {**dict.fromkeys(LIMITS, "1"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Longer than a command may be.
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(asdict(trial), file)
        file.flush()
        line = run_worker(python, "photo_trial", [file.name], rival=name, environment=limits)
    return PhotoTrialResult(**json.loads(line))


def table(results: Sequence[PhotoTrialResult]) -> str:
    """Markdown, medians over the turns."""
    by_name: Mapping[str, list[PhotoTrialResult]] = {
        name: [each for each in results if each.competitor == name] for name in PHOTO_COMPETITORS
    }
    rows = [
        "| | CPU ms a photo | photos/s a core | photos with a face | faces | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for name, competitor in PHOTO_COMPETITORS.items():
        rows.append(f"| {competitor.title} | {' | '.join(_cells(by_name[name]))} |")
    return "\n".join(rows)


def _cells(results: Sequence[PhotoTrialResult]) -> list[str]:
    if not results:
        return ["not measured", "", "", "", ""]
    cpu_ms = median(each.cpu_ms for each in results)
    last = results[-1]
    return [
        f"{cpu_ms:.1f}",
        f"{1000 / cpu_ms:.1f}",
        f"{last.with_face:.1%}",
        str(last.faces),
        f"{max(each.peak_mb for each in results):.0f}",
    ]


if __name__ == "__main__":
    app()
