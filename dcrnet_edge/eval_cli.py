"""``dcrnet-eval``: a model's accuracy on a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dcrnet_edge.train_cli import dataset_kind, train_extra
from dcrnet_runtime.console import VersionOption, command_app, note, reported
from dcrnet_runtime.errors import DcrnetError

app = command_app()


@app.command()
@reported
def evaluate(
    data: Annotated[Path, typer.Option(help="The data set's folder.")],
    model: Annotated[
        Path | None,
        typer.Argument(help="Checkpoint, ONNX or TFLite file; default: the shipped weights."),
    ] = None,
    dataset: Annotated[str, typer.Option(help="Its layout: ferplus.")] = "ferplus",
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every figure to a file.")
    ] = None,
    landmarks: Annotated[
        Path | None, typer.Option(help="A face_landmarker.task bundle to find faces with.")
    ] = None,
    version: VersionOption = False,
) -> None:
    """Print accuracy, balanced accuracy, macro-F1 and the per-class report."""
    train_extra()
    from dcrnet_edge.datasets.adapter import read_dataset
    from dcrnet_edge.datasets.facecache import FaceCache
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.evaluation import evaluate as evaluate_model
    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_runtime.assets import cache_folder
    from dcrnet_runtime.finders import FinderKind, open_finder

    if split not in list(Split):
        raise DcrnetError(f"--split {split} is unknown: choose {', '.join(Split)}")
    faces = read_dataset(dataset_kind(dataset), data)
    samples = faces.splits[Split(split)]
    cache = FaceCache(cache_folder() / "faces", open_finder(FinderKind.LITERT, landmarks))
    path = model or shipped_checkpoint()
    note(f"{path.name} on {len(samples)} images of {split}.")
    evaluation = evaluate_model(path, faces.labels, samples, cache.faces(samples))
    figures = evaluation.figures()
    _print(figures)
    if json_file is not None:
        _write(json_file, {"model": path.name, "dataset": dataset, "split": split, **figures})


def _print(figures: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("class", "precision", "recall", "F1", "images")
    for name, row in figures["classes"].items():
        if isinstance(row, dict):
            numbers = (f"{row[key]:.3f}" for key in ("precision", "recall", "f1-score"))
            table.add_row(name, *numbers, f"{row['support']:.0f}")
    console = Console()
    console.print(table)
    keys = ("accuracy", "balanced_accuracy", "macro_f1", "accuracy_aligned", "accuracy_box_only")
    for key in keys:
        if figures[key] is not None:
            console.print(f"{key}: {figures[key]:.4f}")
    console.print(f"box_only_share: {figures['box_only_share']:.4f}")


def _write(path: Path, figures: dict[str, Any]) -> None:
    import json

    from dcrnet_runtime.outfile import written_beside

    with written_beside(path) as beside:
        beside.write_text(json.dumps(figures, indent=2))
