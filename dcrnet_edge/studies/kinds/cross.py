"""What is left of a model's accuracy on a data set that it was not trained on."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.cli.face_data import (
    FaceWorkersOption,
    LandmarksOption,
    open_data,
    open_faces,
)
from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.options import StudiedModels
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_edge.studies.training_data import (
    card_of,
    check_split,
    plan_of,
    trained_on,
    trainings,
)
from dcrnet_runtime.cli.console import note
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.evaluation.metrics import Metrics
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef
    from dcrnet_edge.evaluation.rows import Rows
    from dcrnet_edge.studies.transfer.loss import Loss

_JOINT = "--"
_WHOLE = "whole"
_ONE_BY_ONE = "ask each of these models in a study of its own"


@dataclass(frozen=True, slots=True)
class CrossOptions:
    """The data sets."""

    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYOUT:FOLDER",
            help=f"A data set: its layout ({', '.join(dataset_names())}) and folder; repeatable."
            " The Test split is asked about, that of the training where a model was trained on"
            " it; or every image with --whole.",
        ),
    ] = None
    whole: Annotated[
        list[str] | None,
        typer.Option(
            help="Layout of which all images are asked about, which no model here was trained on;"
            " repeatable."
        ),
    ] = None
    landmarks: LandmarksOption = None
    landmarks_cache: Annotated[
        Path | None,
        typer.Option(
            help="A file with found faces, as dcrnet-eval makes: those data sets take them from it"
            " whose images it has."
        ),
    ] = None
    workers: FaceWorkersOption = 0

    def folders(self) -> dict[str, Path]:
        """Each data set's folder, by its layout.

        Raises:
            DcrnetError: there is none, a layout is unknown or named twice, no folder is named, or
                the file of faces is not there.
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
        if unasked := [layout for layout in self.whole or () if layout not in found]:
            raise DcrnetError(f"`whole` {unasked[0]} has no folder: name it with `on`")
        if self.landmarks_cache is not None and not self.landmarks_cache.exists():
            raise DcrnetError(
                f"{self.landmarks_cache} does not exist: make it with dcrnet-eval, or leave out"
                " `landmarks_cache`"
            )
        return found


class Cross:
    """Models by data sets, over the labels that both know."""

    summary = "What is left of accuracy on a data set that a model was not trained on?"
    groups = (StudiedModels, CrossOptions)

    def plan(self, models: StudiedModels, own: CrossOptions) -> Plan:
        """Every model on every data set, of which none may have its training images."""
        refs = models.refs()
        opened = {
            layout: _images(layout, folder, own, refs) for layout, folder in own.folders().items()
        }
        settings = {
            "models": {
                name: {"sha256": ref.sha256, "trained_on": _home(ref)}
                for name, ref in refs.items()
            },
            "datasets": {
                layout: {**_facts(images), "part": _part(layout, own)}
                for layout, images in opened.items()
            },
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
        from dcrnet_edge.studies.transfer.label_shares import re_weighted_accuracy
        from dcrnet_edge.studies.transfer.loss import loss_rows, losses_of

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
        rows, losses, facts = _header(), [], {}
        for model, by_layout in found.items():
            home = settings["models"][model]["trained_on"]
            for layout, each in by_layout.items():
                dataset, figures = settings["datasets"][layout], metrics[model][layout]
                shifted = re_weighted_accuracy(each, settings["datasets"].get(home))
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
            losses += losses_of(model, home, by_layout, settings["datasets"])
        for loss in losses:
            facts[f"{loss.model} on {loss.layout}"]["loss"] = loss.to_json()
        return Findings(
            title="What is left on other data sets?",
            claim="cross-data-set validation shows that it generalizes (it gives no table).",
            verdict=_verdict(losses),
            tables=[
                Table("Models by data sets, over all labels that model and data know", rows),
                *([Table(_LOST, loss_rows(losses))] if losses else []),
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


_NOTHING = (
    "No model was asked about its own data set and another one that shares two labels with it:"
    " there is nothing to compare with."
)
_LEFT_OUT = (
    "Photos of labels that one side has none of are left out of both figures; where a model's"
    " answer to another photo is such a label, its most probable label of the rest counts."
)
_LOST = "What is lost, over the labels that both data sets have photos of"


def _verdict(losses: Sequence[Loss]) -> list[str]:
    if not losses:
        return [_NOTHING]
    has_left_out = any(loss.left_out for loss in losses)
    return [*map(str, losses), *([_LEFT_OUT] if has_left_out else [])]


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


def _images(layout: str, folder: Path, own: CrossOptions, refs: Mapping[str, ModelRef]) -> Images:
    """The Test split of the models' training, or all images.

    Raises:
        DcrnetError: the data cannot be read, or has a model's training images.
    """
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.evaluation.model_refs import Images

    faces = _faces(layout, folder, own, _plan(layout, refs))
    images = Images(faces, Split.TEST, folder, shared_labels=True)
    if _part(layout, own) != _WHOLE:
        check_split(refs, images, _ONE_BY_ONE)
        return images
    if learned := [name for name, ref in refs.items() if trained_on(ref, faces.dataset)]:
        raise DcrnetError(
            f"{learned[0]} was trained on {layout}, so that all images of it are no other data to"
            f" it: leave out `whole` {layout}, or name another model"
        )
    every = [sample for split in faces.dataset.splits.values() for sample in split]
    return replace(images, data=faces.with_split(Split.TEST, every))


def _part(layout: str, own: CrossOptions) -> str:
    return _WHOLE if layout in (own.whole or ()) else "test"


def _plan(layout: str, refs: Mapping[str, ModelRef]) -> SplitPlan:
    """How the data was split when the first of the models that know it was trained."""
    from dcrnet_edge.datasets.splits import SplitPlan

    for ref in refs.values():
        for trained in trainings(card_of(ref).provenance):
            if trained.get("dataset") == layout and (plan := plan_of(trained)) is not None:
                return plan
    return SplitPlan()


def _faces(layout: str, folder: Path, own: CrossOptions, plan: SplitPlan) -> FaceData:
    from dcrnet_edge.datasets.sample import Split

    is_whole, cache = _part(layout, own) == _WHOLE, own.landmarks_cache
    found = open_data(
        *(layout, folder, plan, own.landmarks, own.workers),
        landmarks_cache=cache,
        needed=() if is_whole else (Split.TEST,),
    )
    if cache is None or _are_in_file(found, [*Split] if is_whole else [Split.TEST]):
        return found
    note(f"{cache} lacks faces of {layout}, which are looked for.")
    return open_faces(found.dataset, own.landmarks, own.workers)


def _are_in_file(data: FaceData, splits: Sequence[Split]) -> bool:
    """Whether a file that is there has the faces of every image of some splits."""
    try:
        for split in splits:
            data.faces(split)
    except DcrnetError:
        return False
    return True


def _facts(images: Images) -> dict[str, Any]:
    samples, labels = images.data.samples(images.split), images.data.dataset.labels
    counts = Counter(labels[sample.label] for sample in samples)
    return {**images.provenance(), "images": len(samples), "labels": dict(sorted(counts.items()))}


def _home(ref: ModelRef) -> str:
    return str(card_of(ref).provenance.get("dataset", ""))


def _answer(ref: ModelRef, images: Images, path: Path) -> None:
    from dcrnet_edge.evaluation.predictions import save_predictions

    save_predictions(path, ref.answers(images))


CROSS = Cross()
