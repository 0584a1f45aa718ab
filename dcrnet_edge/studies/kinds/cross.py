"""What is left of a model's accuracy on a data set that it was not trained on."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.cli.face_data import FaceWorkersOption, LandmarksOption, open_data
from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.options import StudiedModels
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.evaluation.metrics import Metrics
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef
    from dcrnet_edge.evaluation.predictions import Predictions
    from dcrnet_edge.evaluation.rows import Rows

_JOINT = "--"


@dataclass(frozen=True, slots=True)
class CrossOptions:
    """The data sets."""

    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYOUT:FOLDER",
            help=f"A data set: its layout ({', '.join(dataset_names())}) and folder; repeatable."
            " The Test split is asked about, or every image with --whole.",
        ),
    ] = None
    whole: Annotated[
        list[str] | None,
        typer.Option(help="Layout of which all images are asked about; repeatable."),
    ] = None
    landmarks: LandmarksOption = None
    workers: FaceWorkersOption = 0

    def folders(self) -> dict[str, Path]:
        """Each data set's folder, by its layout.

        Raises:
            DcrnetError: there is none, a layout is unknown or named twice, or no folder is named.
        """
        found = {}
        for text in self.on or ():
            layout, _, folder = text.partition(":")
            if layout not in dataset_names() or not folder or layout in found:
                raise DcrnetError(
                    f"`on` {text} is no data set: give each layout once, as in ferplus:FOLDER"
                    f" (known are {', '.join(dataset_names())})"
                )
            found[layout] = Path(folder)
        if not found:
            raise DcrnetError("the study needs data sets: name them with `on`")
        return found


class Cross:
    """Models by data sets, over the labels that both know."""

    summary = "What is left of accuracy on a data set that a model was not trained on?"
    groups = (StudiedModels, CrossOptions)

    def plan(self, models: StudiedModels, own: CrossOptions) -> Plan:
        """Every model on every data set."""
        refs = models.refs()
        opened = {layout: _images(layout, folder, own) for layout, folder in own.folders().items()}
        settings = {
            "models": {
                name: {"sha256": ref.sha256, "trained_on": _trained_on(ref)}
                for name, ref in refs.items()
            },
            "datasets": {layout: _facts(images) for layout, images in opened.items()},
        }
        units = [
            Unit(f"{model}{_JOINT}{layout}", functools.partial(_answer, ref, images))
            for layout, images in opened.items()
            for model, ref in refs.items()
        ]
        return Plan(settings, units)

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """Accuracy as it is, with classes weighted alike, and under the training data's shares."""
        from dcrnet_edge.evaluation.metrics import compute_metrics
        from dcrnet_edge.evaluation.predictions import read_predictions

        found = {
            model: {
                layout: read_predictions(answers[f"{model}{_JOINT}{layout}"])
                for layout in settings["datasets"]
            }
            for model in settings["models"]
        }
        metrics = {
            model: {layout: compute_metrics(each) for layout, each in by_layout.items()}
            for model, by_layout in found.items()
        }
        rows, verdict, facts = _header(), [], {}
        for model, by_layout in found.items():
            home = settings["models"][model]["trained_on"]
            for layout, each in by_layout.items():
                dataset, figures = settings["datasets"][layout], metrics[model][layout]
                shifted = _re_weighted(each, settings["datasets"].get(home))
                kind = "own" if layout == home else "foreign"
                rows.append(
                    [
                        *(model, home or "unknown", layout, kind, str(figures.images)),
                        str(dataset["images"] - figures.images),
                        f"{100 * figures.accuracy:.2f} %{_interval(figures.accuracy_interval)}",
                        f"{100 * figures.balanced_accuracy:.2f} %",
                        "" if shifted is None else f"{100 * shifted:.2f} %",
                    ]
                )
                facts[f"{model} on {layout}"] = {
                    **figures.to_json(),
                    "accuracy_with_estimated_shares": shifted,
                }
            verdict += _losses(model, home, metrics[model])
        return Findings(
            title="What is left on other data sets?",
            claim="cross-data-set validation shows that it generalizes (it gives no table).",
            verdict=verdict
            or ["No model was asked about its own data set: there is nothing to compare with."],
            tables=[
                Table("Models by data sets", rows),
                Table("Shares of the labels", _shares(settings)),
            ],
            charts=[_chart(metrics)],
            facts=facts,
        )


def _chart(metrics: Mapping[str, Mapping[str, Metrics]]) -> Chart:
    from dcrnet_edge.studies.pages.interval_chart import Estimate, interval_chart

    estimates = []
    for model, by_layout in metrics.items():
        for layout, each in by_layout.items():
            interval = each.accuracy_interval or (each.accuracy, each.accuracy)
            estimates.append(Estimate(f"{model} on {layout}", each.accuracy, *interval))
    caption = "Accuracy of each model on each data set, with 95 % intervals."
    return interval_chart(caption, estimates, "accuracy, %")


def _header() -> Rows:
    return [
        [
            *("model", "trained on", "asked about", "data", "images", "left out"),
            *("accuracy", "balanced accuracy", "with estimated shares"),
        ]
    ]


def _losses(model: str, home: str, by_layout: Mapping[str, Any]) -> list[str]:
    if home not in by_layout:
        return []
    own = by_layout[home]
    return [
        f"{model}, trained on {home}: balanced accuracy"
        f" {100 * (each.balanced_accuracy - own.balanced_accuracy):+.1f} points on {layout}"
        f" (accuracy {100 * (each.accuracy - own.accuracy):+.1f})."
        for layout, each in by_layout.items()
        if layout != home
    ]


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def _shares(settings: Mapping[str, Any]) -> Rows:
    """How labels are spread: the shift that a model meets."""
    labels = sorted({label for each in settings["datasets"].values() for label in each["labels"]})
    rows = [["data set", *labels]]
    for layout, each in settings["datasets"].items():
        counts = [each["labels"].get(label) for label in labels]
        rows.append(
            [layout, *("" if n is None else f"{100 * n / each['images']:.1f} %" for n in counts)]
        )
    return rows


_ROUNDS = 200


def _re_weighted(predictions: Predictions, home: Mapping[str, Any] | None) -> float | None:
    """Accuracy when probabilities are scaled to label shares that are estimated without labels.

    Expectation maximization over the answers (Saerens, Latinne and Decaestecker 2002), from the
    shares of the data set that the model was trained on; None where these are not known.
    """
    import numpy as np

    if home is None or not all(home["labels"].get(label) for label in predictions.labels):
        return None
    counts = np.array([home["labels"][label] for label in predictions.labels], float)
    prior = shares = counts / counts.sum()
    probabilities = predictions.probabilities.astype(np.float64)
    for _ in range(_ROUNDS):
        scaled = probabilities * (shares / prior)
        scaled /= scaled.sum(axis=1, keepdims=True)
        shares = scaled.mean(axis=0)
    return float((scaled.argmax(axis=1) == predictions.truth).mean())


def _images(layout: str, folder: Path, own: CrossOptions) -> Images:
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.evaluation.model_refs import Images

    needed = () if layout in (own.whole or ()) else (Split.TEST,)
    faces = open_data(layout, folder, SplitPlan(), own.landmarks, own.workers, needed=needed)
    if layout in (own.whole or ()):
        every = [sample for split in faces.dataset.splits.values() for sample in split]
        faces = faces.with_split(Split.TEST, every)
    return Images(faces, Split.TEST, folder, shared_labels=True)


def _facts(images: Images) -> dict[str, Any]:
    samples, labels = images.data.samples(images.split), images.data.dataset.labels
    counts = Counter(labels[sample.label] for sample in samples)
    return {**images.provenance(), "images": len(samples), "labels": dict(sorted(counts.items()))}


def _trained_on(ref: ModelRef) -> str:
    from dcrnet_edge.evaluation.answers import CHECKPOINT_SUFFIX
    from dcrnet_edge.models.checkpoint import load_checkpoint
    from dcrnet_runtime.backends.loading import load_model

    is_checkpoint = ref.path.suffix == CHECKPOINT_SUFFIX
    card = load_checkpoint(ref.path).card if is_checkpoint else load_model(ref.path).card
    return str(card.provenance.get("dataset", ""))


def _answer(ref: ModelRef, images: Images, path: Path) -> None:
    from dcrnet_edge.evaluation.predictions import save_predictions

    save_predictions(path, ref.answers(images))


CROSS = Cross()
