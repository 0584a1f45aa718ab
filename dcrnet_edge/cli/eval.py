"""``dcrnet-eval``: how good a model is on a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.cli.options import dataset_kind, open_data, train_extra
from dcrnet_runtime.cli.console import VersionOption, command_app, note, reported
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef
    from dcrnet_edge.evaluation.predictions import Predictions

app = command_app()


@app.command()
@reported
def evaluate(
    models: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Checkpoints, ONNX or TFLite files, or predictions (.csv); default: what is"
            " shipped, the checkpoint at each of its sizes."
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
        list[int] | None,
        typer.Option(help="Input side of a checkpoint, in place of its own; repeatable."),
    ] = None,
    box_only: Annotated[
        bool,
        typer.Option("--box-only", help="Withhold landmarks, as where no network finds them."),
    ] = False,
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
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that look for faces; 0: one a core.")
    ] = 0,
    version: VersionOption = False,
) -> None:
    """Print accuracy, balanced accuracy, macro-F1 and calibration, with 95 % intervals."""
    train_extra()
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.evaluation import model_refs as candidates
    from dcrnet_edge.evaluation import report as reports
    from dcrnet_edge.evaluation.metrics import compare, compute_metrics
    from dcrnet_edge.evaluation.predictions import save_predictions

    if split not in list(Split):
        raise DcrnetError(f"--split {split} is unknown: choose {', '.join(Split)}")
    judged = candidates.asked(models, size or ()) if models else candidates.shipped(size or ())
    rival = None if against is None else candidates.asked([against], size or ())[0]
    images = None
    if data is not None and not all(each.has_answers for each in (*judged, rival) if each):
        plan = _plan(protocol, fold, folds, split_seed)
        opened = open_data(
            dataset_kind(dataset), data, plan, landmarks, workers, is_box_only=box_only
        )
        images = candidates.Images(opened, Split(split), data, shared_labels)
    names = candidates.names_of(judged)
    predictions = _answers(names, judged, images)
    found = {name: compute_metrics(each) for name, each in predictions.items()}
    sizes_mb = {
        name: each.size_mb
        for name, each in zip(names, judged, strict=True)
        if not each.has_answers
    }
    first = names[0]
    tables = [reports.summary_rows(found, sizes_mb), reports.path_rows(found)]
    if len(found) == 1:
        tables.insert(1, reports.class_rows(found[first]))
    document: dict[str, Any] = {
        "dataset": dataset,
        "split": split,
        "box_only": box_only,
        **({} if images is None else images.provenance()),
        "sha256": {name: each.sha256 for name, each in zip(names, judged, strict=True)},
        "dcrnet_edge": metadata.version("dcrnet-edge"),
        "models": found,
    }
    if rival is not None:
        [name] = candidates.names_of([rival])
        comparison = compare(predictions[first], _answers([name], [rival], images)[name])
        tables.append(reports.comparison_rows(comparison, first, name))
        document["against"] = {"model": name, **asdict(comparison)}
    for rows in tables:
        if as_markdown:
            typer.echo(reports.markdown(rows))
        else:
            reports.print_rows(rows)
    note(f"Intervals: 95 % bootstrap over {found[first]['resampled']}.")
    if predictions_file is not None:
        save_predictions(predictions_file, predictions[first])
    if report is not None:
        reports.write_report(report, first, found[first], predictions[first])
    if json_file is not None:
        _write(json_file, document)


def _answers(
    names: Sequence[str], judged: Sequence[ModelRef], images: Images | None
) -> dict[str, Predictions]:
    answers = {}
    for name, candidate in zip(names, judged, strict=True):
        if images is not None and not candidate.has_answers:
            note(f"{name} on {len(images.data.samples(images.split))} images.")
        answers[name] = candidate.answers(images)
    return answers


def _plan(protocol: str | None, fold: int, folds: int, seed: int) -> SplitPlan:
    from dcrnet_edge.datasets.splits import SplitKind, SplitPlan

    try:
        kind = None if protocol is None else SplitKind(protocol)
    except ValueError as error:
        raise DcrnetError(
            f"--protocol {protocol} is unknown: choose {', '.join(SplitKind)}"
        ) from error
    return SplitPlan(kind, fold, folds, seed)


def _write(path: Path, document: dict[str, Any]) -> None:
    import json

    from dcrnet_runtime.outfile import written_beside

    with written_beside(path) as beside:
        beside.write_text(json.dumps(document, indent=2))
