"""``dcrnet-eval``: how good a model is on a data set."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.options import dataset_kind, open_data, train_extra
from dcrnet_runtime.console import VersionOption, command_app, note, reported
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.predictions import Predictions

app = command_app()


@app.command()
@reported
def evaluate(
    models: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Checkpoints, ONNX or TFLite files, or predictions (.csv); default: the shipped"
            " checkpoint and int8 model."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The data set's folder; predictions need none.")
    ] = None,
    dataset: Annotated[
        str,
        typer.Option(help="Layout: ferplus, fer2013, affectnet, ckplus, kdef, rafdb, folders."),
    ] = "ferplus",
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    protocol: Annotated[
        str | None, typer.Option(help="official, paper, subject or random; see dcrnet-train.")
    ] = None,
    fold: Annotated[int, typer.Option(min=0)] = 0,
    folds: Annotated[int, typer.Option(min=2)] = 10,
    split_seed: Annotated[int, typer.Option(min=0)] = 0,
    size: Annotated[
        int | None, typer.Option(help="Input side of a checkpoint, in place of its own.")
    ] = None,
    shared_labels: Annotated[
        bool,
        typer.Option("--shared-labels", help="Leave out labels that model or data do not know."),
    ] = False,
    against: Annotated[
        Path | None, typer.Option(help="A model or predictions to compare the first one with.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every figure to a file.")
    ] = None,
    predictions_file: Annotated[
        Path | None, typer.Option("--predictions", help="Write the first model's answers.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for report.md, the confusion matrix and answers.")
    ] = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the tables as Markdown.")
    ] = False,
    landmarks: Annotated[
        Path | None, typer.Option(help="A face_landmarker.task bundle to find faces with.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that look for faces.")] = 1,
    version: VersionOption = False,
) -> None:
    """Print accuracy, balanced accuracy, macro-F1 and calibration, with 95 % intervals."""
    train_extra()
    from dcrnet_edge import report as reports
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.evaluation import evaluate as evaluate_model
    from dcrnet_edge.predictions import PREDICTIONS_SUFFIX, read_predictions, save_predictions
    from dcrnet_edge.statistics import compare, figures
    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_runtime.shipped import shipped_model

    if split not in list(Split):
        raise DcrnetError(f"--split {split} is unknown: choose {', '.join(Split)}")
    paths = models or [shipped_checkpoint(), shipped_model()]
    asked = [*paths, against] if against else paths
    faces = None
    if any(path.suffix != PREDICTIONS_SUFFIX for path in asked):
        if data is None:
            raise DcrnetError("a model needs images to be asked about: name them with --data")
        plan = SplitPlan(_split_kind(protocol), fold, folds, split_seed)
        faces = open_data(dataset_kind(dataset), data, plan, landmarks, workers)

    def answers(path: Path) -> Predictions:
        if path.suffix == PREDICTIONS_SUFFIX:
            return read_predictions(path)
        assert faces is not None
        assert data is not None
        note(f"{path.name} on {len(faces.samples(Split(split)))} images of {split}.")
        return evaluate_model(
            path, faces, Split(split), data, size_px=size, shared_labels=shared_labels
        )

    names = _names(paths)
    predictions = dict(zip(names, map(answers, paths), strict=True))
    found = {name: figures(each) for name, each in predictions.items()}
    first = names[0]
    sizes_mb = {
        name: path.stat().st_size / 1e6
        for name, path in zip(names, paths, strict=True)
        if path.suffix != PREDICTIONS_SUFFIX
    }
    tables = [reports.summary_rows(found, sizes_mb)]
    if len(found) == 1:
        tables += [reports.class_rows(found[first]), reports.path_rows(found[first])]
    document: dict[str, Any] = {"dataset": dataset, "split": split, "models": found}
    if against is not None:
        comparison = compare(predictions[first], answers(against))
        tables.append(reports.comparison_rows(comparison, first, against.name))
        document["against"] = {"model": against.name, **asdict(comparison)}
    for rows in tables:
        if as_markdown:
            typer.echo(reports.markdown(rows))
        else:
            reports.print_rows(rows)
    if predictions_file is not None:
        save_predictions(predictions_file, predictions[first])
    if report is not None:
        reports.write_report(report, first, found[first], predictions[first])
    if json_file is not None:
        _write(json_file, document)


def _split_kind(name: str | None):  # type: ignore[no-untyped-def]  # the enum is imported lazily
    from dcrnet_edge.datasets.splits import SplitKind

    try:
        return None if name is None else SplitKind(name)
    except ValueError as error:
        raise DcrnetError(
            f"--protocol {name} is unknown: choose {', '.join(SplitKind)}"
        ) from error


def _names(paths: list[Path]) -> list[str]:
    """File names, or whole paths where two files are called alike."""
    names = [path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _write(path: Path, document: dict[str, Any]) -> None:
    import json

    from dcrnet_runtime.outfile import written_beside

    with written_beside(path) as beside:
        beside.write_text(json.dumps(document, indent=2))
