"""Whether answers differ between groups of people."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.studies.findings import Findings, Table
from dcrnet_edge.studies.options import StudiedImages, StudiedModels
from dcrnet_edge.studies.people.groups import check_groups, chosen_attributes, read_groups
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef
    from dcrnet_edge.studies.pages.interval_chart import Estimate

CLAIMED_GAP = 0.03
"""The paper's section 5: accuracies of groups lie less than 3 % apart."""

_ATTRIBUTE = "is_"
_NO_ERRORS = (
    "Without labels nobody knows how often the people on these photos do smile: a gap between"
    " answers may be one between the photos, and is no difference in errors."
)
_SHARED = ", for confidence and the share of each answer"


@dataclass(frozen=True, slots=True)
class FairnessOptions:
    """Which groups."""

    groups: Annotated[
        Path | None,
        typer.Option(
            help="CSV file with a column image (or file), relative to the data's folder, and one"
            " an attribute; by default what the data set itself says of people."
        ),
    ] = None
    unlabelled: Annotated[
        Path | None,
        typer.Option(
            help="A folder of faces without expression labels, in place of --data: shares of the"
            " answers are compared. Needs --groups."
        ),
    ] = None
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="One that is looked at; may be given again. By default all there are."),
    ] = None
    control: Annotated[
        str, typer.Option(help="Attribute that gaps are standardized for, where there is one.")
    ] = "age"
    least: Annotated[int, typer.Option(min=2, help="Images that make a group.")] = 100


class Fairness:
    """Accuracy, or shares of answers, by group with intervals."""

    summary = "Do answers differ between groups of people?"
    groups = (StudiedModels, StudiedImages, FairnessOptions)

    def plan(self, models: StudiedModels, asked: StudiedImages, own: FairnessOptions) -> Plan:
        """Each model's answers, with attributes beside them."""
        refs = models.refs()
        images = asked.open() if own.unlabelled is None else _unlabelled(own, asked, refs)
        by_image = {} if own.groups is None else read_groups(own.groups)
        attributes = chosen_attributes(_attributes(images, by_image), own.attribute or [])
        check_groups(attributes, own.least)
        settings = {
            **asked.settings(images),
            "models": {name: ref.sha256 for name, ref in refs.items()},
            "labelled": own.unlabelled is None,
            "attributes": list(attributes),
            "control": own.control if own.control in attributes else None,
            "least": own.least,
        }
        has_labels = own.unlabelled is None
        return Plan(
            settings,
            [
                Unit(name, functools.partial(_write, ref, images, attributes, has_labels))
                for name, ref in refs.items()
            ],
        )

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """Gaps of accuracy where there are labels, of answers' shares where there are none."""
        from dcrnet_edge.studies.pages.interval_chart import interval_chart
        from dcrnet_edge.studies.people.group_gaps import accuracy_gaps, share_gaps

        found = {name: _read(path) for name, path in answers.items()}
        least, control = settings["least"], settings["control"]
        verdict: list[str] = []
        tables: list[Table] = []
        facts: dict[str, Any] = {}
        for model, rows in found.items():
            for attribute in settings["attributes"]:
                if settings["labelled"]:
                    gaps = accuracy_gaps(rows, attribute, least, CLAIMED_GAP)
                else:
                    stratum = None if attribute == control else control
                    gaps = share_gaps(rows, attribute, least, stratum)
                if gaps is None:
                    continue
                verdict += [f"{model}, {attribute}: {sentence}" for sentence in gaps.sentences]
                tables += [Table(f"{model}, by {attribute}: {t}", r) for t, r in gaps.tables]
                facts.setdefault(model, {})[attribute] = gaps.facts
        if not settings["labelled"]:
            verdict.append(_NO_ERRORS)
        return Findings(
            title="Do answers differ between groups of people?",
            claim="accuracies of groups lie within 3 % (section 5; gender and skin tone, on"
            " AffectNet).",
            verdict=verdict,
            tables=tables,
            charts=[
                interval_chart(
                    f"{model}: gap between the two groups furthest apart, by attribute"
                    f"{_SHARED * (not settings['labelled'])}, with 95 %"
                    " intervals; the dashed line is the 3 points that the paper states for"
                    " accuracy.",
                    _gaps(found),
                    "points",
                    mark=CLAIMED_GAP,
                )
                for model, found in facts.items()
            ],
            facts=facts,
        )


def _gaps(facts: Mapping[str, Any]) -> list[Estimate]:
    """Of each attribute, or of each answer by attribute."""
    from dcrnet_edge.studies.pages.interval_chart import Estimate

    estimates = []
    for attribute, found in facts.items():
        if "gap" in found:
            estimates.append(Estimate(attribute, found["gap"], *found["gap_interval"]))
            continue
        sure = found["confidence_gap"]
        estimates.append(Estimate(f"{attribute}: confidence", sure["gap"], *sure["interval"]))
        for answer, gap in found["gaps"].items():
            estimates.append(Estimate(f"{attribute}: {answer}", gap["gap"], *gap["interval"]))
    return estimates


def _unlabelled(
    own: FairnessOptions, asked: StudiedImages, refs: Mapping[str, ModelRef]
) -> Images:
    from dcrnet_edge.cli.face_data import open_faces
    from dcrnet_edge.data.face_cache import content_digest
    from dcrnet_edge.datasets.sample import FaceDataset, Sample, Split, one_hot
    from dcrnet_edge.evaluation.model_refs import Images

    if own.groups is None:
        raise DcrnetError(
            "faces without labels need attributes: name their CSV file with `groups`"
        )
    folder = own.unlabelled or own.groups.parent
    paths = [folder / name for name in read_groups(own.groups)]
    if missing := [path for path in paths if not path.is_file()]:
        raise DcrnetError(
            f"{len(missing)} of {len(paths)} images of {own.groups} are not in {folder} (first:"
            f" {missing[0]}): name the folder that their names are relative to"
        )
    labels = _labels(next(iter(refs.values())))
    # Nobody knows the labels; the first one stands in their place and is not written.
    samples = [Sample(path, 0, one_hot(0, len(labels))) for path in paths]
    digest = sha256(b"".join(map(content_digest, samples))).hexdigest()
    dataset = FaceDataset(
        "unlabelled", labels, {Split.TEST: samples}, digest=digest, images=samples
    )
    faces = open_faces(dataset, asked.landmarks, asked.workers, asked.landmarks_cache)
    return Images(faces, Split.TEST, folder)


def _labels(ref: ModelRef) -> tuple[str, ...]:
    from dcrnet_edge.evaluation.answers import CHECKPOINT_SUFFIX
    from dcrnet_edge.models.checkpoint import load_checkpoint
    from dcrnet_runtime.backends.loading import load_model

    is_checkpoint = ref.path.suffix == CHECKPOINT_SUFFIX
    return (load_checkpoint(ref.path) if is_checkpoint else load_model(ref.path)).card.labels


def _attributes(images: Images, by_image: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Every attribute's value of each image; empty where it is not known."""
    samples = images.data.samples(images.split)
    rows = [
        {**dict(s.groups), **by_image.get(str(s.name).removeprefix(f"{images.root}/"), {})}
        for s in samples
    ]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name, "") for row in rows] for name in names}


def _write(
    ref: ModelRef,
    images: Images,
    attributes: Mapping[str, Sequence[str]],
    has_labels: bool,
    path: Path,
) -> None:
    from dcrnet_runtime.outfile import written_beside

    found = ref.answers(images)
    header = ["image", *(f"{_ATTRIBUTE}{name}" for name in attributes)]
    header += ["aligned", "label", "predicted", *(f"p_{label}" for label in found.labels)]
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for i, image in enumerate(found.images):
            writer.writerow(
                [
                    *(image, *(values[i] for values in attributes.values())),
                    int(found.aligned[i]),
                    found.labels[found.truth[i]] if has_labels else "",
                    found.labels[found.predicted[i]],
                    *(f"{p:.4f}" for p in found.probabilities[i]),
                ]
            )


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [
            {name.removeprefix(_ATTRIBUTE): value for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


FAIRNESS = Fairness()
