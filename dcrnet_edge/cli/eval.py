"""``dcrnet-eval``: how good a model is on a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.cli.extra import train_extra
from dcrnet_edge.cli.face_data import LandmarksCacheOption, open_data
from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_runtime.cli.console import VersionOption, command_app, note, reported
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.data.corruptions import Corruption
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.evaluation.comparison import Comparison
    from dcrnet_edge.evaluation.metrics import Metrics
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef
    from dcrnet_edge.evaluation.predictions import Predictions
    from dcrnet_edge.evaluation.report import Rows
    from dcrnet_edge.evaluation.robustness import Loss

app = command_app()


@app.command()
@reported(size_px="--size")
def evaluate_models(
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
        typer.Option(help=f"Layout: {', '.join(dataset_names())}."),
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
    corrupt: Annotated[
        list[str] | None,
        typer.Option(
            help="Judge on corrupted pictures, too, which faces are found anew on: a kind (blur,"
            " eyes, ...), trained, held-out or all; repeatable."
        ),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="A model or predictions to compare the first one with.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every figure to a file.")
    ] = None,
    predictions_file: Annotated[
        Path | None,
        typer.Option(
            "--predictions",
            help="Write the first model's answers; those to corrupted pictures beside it, as"
            " NAME.KIND.csv.",
        ),
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
    landmarks_cache: LandmarksCacheOption = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that look for faces; 0: one a core.")
    ] = 0,
    version: VersionOption = False,
) -> None:
    """Print accuracy, balanced accuracy, macro-F1 and calibration, with 95 % intervals."""
    train_extra()
    from dcrnet_edge.evaluation.comparison import compare
    from dcrnet_edge.evaluation.metrics import compute_metrics
    from dcrnet_edge.evaluation.model_refs import Images, asked, shipped
    from dcrnet_edge.evaluation.predictions import save_predictions
    from dcrnet_edge.evaluation.report import write_report

    part = _split(split)
    kinds = _kinds(corrupt or ())
    judged = asked(models, size or ()) if models else shipped(size or ())
    rivals = [] if against is None else asked([against], size or ())[:1]
    images = None
    if data is not None and not all(each.has_answers for each in (*judged, *rivals)):
        plan = _plan(protocol, fold, folds, split_seed)
        faces = open_data(
            dataset,
            data,
            plan,
            landmarks,
            workers,
            is_box_only=box_only,
            landmarks_cache=landmarks_cache,
        )
        images = Images(faces, part, data, shared_labels)
    predictions = _answers(judged, images)
    metrics = {name: compute_metrics(each) for name, each in predictions.items()}
    first, *_ = metrics
    comparisons = {
        name: compare(predictions[first], each) for name, each in _answers(rivals, images).items()
    }
    losses = _losses(judged, images, predictions, kinds, predictions_file)
    for rows in _tables(metrics, judged, comparisons) + _loss_tables(metrics, losses):
        _show(rows, as_markdown=as_markdown)
    note(f"Intervals: 95 % bootstrap over {metrics[first].resampled}.")
    if predictions_file is not None:
        save_predictions(predictions_file, predictions[first])
    if report is not None:
        write_report(report, first, metrics[first], predictions[first])
    if json_file is not None:
        asked_for = {"dataset": dataset, "split": split, "box_only": box_only}
        _write(json_file, asked_for, images, judged, metrics, comparisons, losses)


def _split(name: str) -> Split:
    from dcrnet_edge.datasets.sample import Split

    if name not in list(Split):
        raise DcrnetError(f"--split {name} is unknown: choose {', '.join(Split)}")
    return Split(name)


def _kinds(names: Sequence[str]) -> list[Corruption]:
    from dcrnet_edge.evaluation.robustness import kinds_of

    return kinds_of(names)


def _losses(
    judged: Sequence[ModelRef],
    images: Images | None,
    clean: Mapping[str, Predictions],
    kinds: Sequence[Corruption],
    predictions_file: Path | None,
) -> dict[str, dict[str, Loss]]:
    """What each model loses by each kind; the first one's answers go into files."""
    from dcrnet_edge.evaluation.predictions import save_predictions
    from dcrnet_edge.evaluation.robustness import answers, loss

    losses: dict[str, dict[str, Loss]] = {name: {} for name in clean}
    first, *_ = clean
    for kind in kinds:  # the outer loop: all models share the faces that are found
        note(f"Pictures with {kind}.")
        for (name, predictions), ref in zip(clean.items(), judged, strict=True):
            found = answers(ref, images, kind)
            losses[name][kind.value] = loss(predictions, found, kind)
            if predictions_file is not None and name == first:
                suffix = f".{kind}{predictions_file.suffix}"
                save_predictions(predictions_file.with_suffix(suffix), found)
    return losses


def _loss_tables(
    metrics: Mapping[str, Metrics], losses: Mapping[str, Mapping[str, Loss]]
) -> list[Rows]:
    """For each model a table of the kinds that training may show, and one of the others."""
    from dcrnet_edge.evaluation.report import loss_rows

    tables = []
    for name, found in losses.items():
        for title, is_trained in (("trained on", True), ("held out", False)):
            some = {kind: each for kind, each in found.items() if each.is_trained is is_trained}
            if some:
                tables.append(loss_rows(metrics[name].accuracy, some, f"{name}, {title}"))
    return tables


def _answers(judged: Sequence[ModelRef], images: Images | None) -> dict[str, Predictions]:
    """The predictions of each model, by name."""
    from dcrnet_edge.evaluation.model_refs import names_of

    answers = {}
    for name, ref in zip(names_of(judged), judged, strict=True):
        if images is not None and not ref.has_answers:
            note(f"{name} on {len(images.data.samples(images.split))} images.")
        answers[name] = ref.answers(images)
    return answers


def _tables(
    metrics: Mapping[str, Metrics],
    judged: Sequence[ModelRef],
    comparisons: Mapping[str, Comparison],
) -> list[Rows]:
    from dcrnet_edge.evaluation import report

    sizes_mb = {
        name: ref.size_mb for name, ref in zip(metrics, judged, strict=True) if not ref.has_answers
    }
    first, *others = metrics
    tables = [report.summary_rows(metrics, sizes_mb)]
    if not others:
        tables.append(report.class_rows(metrics[first]))
    tables.append(report.path_rows(metrics))
    return tables + [
        report.comparison_rows(comparison, first, name) for name, comparison in comparisons.items()
    ]


def _show(rows: Rows, *, as_markdown: bool) -> None:
    from dcrnet_edge.evaluation.report import markdown, print_rows

    if as_markdown:
        typer.echo(markdown(rows))
    else:
        print_rows(rows)


def _plan(protocol: str | None, fold: int, folds: int, seed: int) -> SplitPlan:
    from dcrnet_edge.datasets.splits import SplitKind, SplitPlan

    try:
        kind = None if protocol is None else SplitKind(protocol)
    except ValueError as error:
        raise DcrnetError(
            f"--protocol {protocol} is unknown: choose {', '.join(SplitKind)}"
        ) from error
    return SplitPlan(kind, fold, folds, seed)


def _write(
    path: Path,
    asked_for: Mapping[str, Any],
    images: Images | None,
    judged: Sequence[ModelRef],
    metrics: Mapping[str, Metrics],
    comparisons: Mapping[str, Comparison],
    losses: Mapping[str, Mapping[str, Loss]],
) -> None:
    """Every figure as JSON."""
    import json

    from dcrnet_edge.evaluation.robustness import SEED
    from dcrnet_runtime.outfile import written_beside

    document = {
        **asked_for,
        **({} if images is None else images.provenance()),
        "sha256": {name: ref.sha256 for name, ref in zip(metrics, judged, strict=True)},
        "dcrnet_edge": metadata.version("dcrnet-edge"),
        "models": {name: each.to_json() for name, each in metrics.items()},
    }
    if any(losses.values()):
        document["corruptions"] = {
            "seed": SEED,
            "models": {
                name: {kind: asdict(each) for kind, each in found.items()}
                for name, found in losses.items()
            },
        }
    for name, comparison in comparisons.items():
        document["against"] = {"model": name, **asdict(comparison)}
    with written_beside(path) as beside:
        beside.write_text(json.dumps(document, indent=2))
