"""What PyPI's fer answers to the images that one of our models was asked about.

    dcrnet-eval MODEL --data FERPLUS --landmarks face_landmarker.task --predictions ours.csv
    python -m venv fer-env && fer-env/bin/pip install fer
    python -m dcrnet_bench.comparisons.fer_answers ours.csv FERPLUS fer.csv \\
        --python fer-env/bin/python
    dcrnet-eval ours.csv --against fer.csv
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dcrnet_bench.comparisons.interpreter import run_worker
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported
from dcrnet_runtime.outfile import written_beside

app = command_app()


@app.command()
@reported
def fer_answers(
    asked: Annotated[
        Path, typer.Argument(help="Predictions that dcrnet-eval wrote.", exists=True)
    ],
    root: Annotated[Path, typer.Argument(help="The data set's folder.", exists=True)],
    answers: Annotated[Path, typer.Argument(help="The file to write.")],
    python: Annotated[
        Path, typer.Option(help="Interpreter that can import fer.", exists=True, dir_okay=False)
    ],
) -> None:
    """Write the predictions again with fer's probabilities."""
    with written_beside(answers) as beside:
        count = run_worker(python, "fer_answers", [asked, root, beside], rival="fer")
    typer.echo(f"{answers}: {count} answers")


if __name__ == "__main__":
    app()
