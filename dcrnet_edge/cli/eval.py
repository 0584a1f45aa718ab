"""``dcrnet-eval``: how good a model is on a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import typer

from dcrnet_edge.cli.eval_options import DataOptions, ModelOptions, ReportOptions
from dcrnet_edge.cli.extra import train_extra
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import note, reported
from dcrnet_runtime.cli.option_groups import CommonOptions, with_groups

if TYPE_CHECKING:
    from pathlib import Path

    from dcrnet_edge.data.corruptions import Corruption
    from dcrnet_edge.evaluation.comparison import Comparison
    from dcrnet_edge.evaluation.metrics import Metrics
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef
    from dcrnet_edge.evaluation.predictions import Predictions
    from dcrnet_edge.evaluation.robustness import Loss
    from dcrnet_edge.evaluation.rows import Rows

app = command_app(is_installed=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of all models, by name in the order they were asked for.

    Attributes:
        judged: the models.
        predictions: their answers.
        metrics: how good these are.
        comparisons: of the first model with another one.
        losses: what each model loses by each kind of corruption.
    """

    judged: Sequence[ModelRef]
    predictions: Mapping[str, Predictions]
    metrics: Mapping[str, Metrics]
    comparisons: Mapping[str, Comparison]
    losses: Mapping[str, Mapping[str, Loss]]

    @property
    def first(self) -> str:
        """The model that is compared, and whose answers are written."""
        return next(iter(self.metrics))


def evaluate_models(
    models: ModelOptions, data: DataOptions, written: ReportOptions, _: CommonOptions
) -> None:
    """Print accuracy, balanced accuracy, macro-F1 and calibration error, with 95 % intervals."""
    train_extra()
    data.part()  # a mistake in it is told even where predictions need no images
    kinds = data.corruptions()
    judged, rivals = models.judged(), models.rivals()
    needs_images = not all(each.has_answers for each in (*judged, *rivals))
    images = data.images() if needs_images else None
    outcome = _outcome(judged, rivals, images, kinds, written.predictions_file)
    for rows in _tables(outcome) + _loss_tables(outcome.metrics, outcome.losses):
        _show(rows, as_markdown=written.as_markdown)
    note(f"Intervals: 95 % bootstrap over {outcome.metrics[outcome.first].resampled}.")
    _write(written, outcome, data, images)


app.command()(
    reported(size_px="--size")(
        with_groups(evaluate_models, ModelOptions, DataOptions, ReportOptions, CommonOptions)
    )
)


def _outcome(
    judged: Sequence[ModelRef],
    rivals: Sequence[ModelRef],
    images: Images | None,
    kinds: Sequence[Corruption],
    predictions_file: Path | None,
) -> Outcome:
    from dcrnet_edge.evaluation.comparison import compare
    from dcrnet_edge.evaluation.metrics import compute_metrics

    predictions = _answers(judged, images)
    first, *_ = predictions.values()
    metrics = {name: compute_metrics(each) for name, each in predictions.items()}
    comparisons = {name: compare(first, each) for name, each in _answers(rivals, images).items()}
    losses = _losses(judged, images, predictions, kinds, predictions_file)
    return Outcome(judged, predictions, metrics, comparisons, losses)


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


def _tables(outcome: Outcome) -> list[Rows]:
    from dcrnet_edge.evaluation import report

    metrics, first = outcome.metrics, outcome.first
    sizes_mb = {
        name: ref.size_mb
        for name, ref in zip(metrics, outcome.judged, strict=True)
        if not ref.has_answers
    }
    tables = [report.summary_rows(metrics, sizes_mb)]
    if len(metrics) == 1:
        tables.append(report.class_rows(metrics[first]))
    tables.append(report.path_rows(metrics))
    return tables + [
        report.comparison_rows(comparison, first, name)
        for name, comparison in outcome.comparisons.items()
    ]


def _show(rows: Rows, *, as_markdown: bool) -> None:
    from dcrnet_edge.evaluation.rows import markdown, print_rows

    if as_markdown:
        typer.echo(markdown(rows))
    else:
        print_rows(rows)


def _write(
    written: ReportOptions, outcome: Outcome, data: DataOptions, images: Images | None
) -> None:
    """The files that were asked for."""
    from dcrnet_edge.evaluation.predictions import save_predictions
    from dcrnet_edge.evaluation.report import write_report
    from dcrnet_runtime.outfile import written_beside

    first = outcome.first
    if written.predictions_file is not None:
        save_predictions(written.predictions_file, outcome.predictions[first])
    if written.report is not None:
        write_report(written.report, first, outcome.metrics[first], outcome.predictions[first])
    if written.json_file is not None:
        with written_beside(written.json_file) as beside:
            beside.write_text(_document(outcome, data, images))


def _document(outcome: Outcome, data: DataOptions, images: Images | None) -> str:
    """Every figure as JSON."""
    import json

    from dcrnet_edge.evaluation.robustness import SEED

    metrics = outcome.metrics
    document: dict[str, Any] = {
        "dataset": data.dataset,
        "split": data.split,
        "box_only": data.box_only,
        **({} if images is None else images.provenance()),
        "sha256": {name: ref.sha256 for name, ref in zip(metrics, outcome.judged, strict=True)},
        "dcrnet_edge": metadata.version("dcrnet-edge"),
        "models": {name: each.to_json() for name, each in metrics.items()},
    }
    if any(outcome.losses.values()):
        document["corruptions"] = {
            "seed": SEED,
            "models": {
                name: {kind: asdict(each) for kind, each in found.items()}
                for name, found in outcome.losses.items()
            },
        }
    for name, comparison in outcome.comparisons.items():
        document["against"] = {"model": name, **asdict(comparison)}
    return json.dumps(document, indent=2)
