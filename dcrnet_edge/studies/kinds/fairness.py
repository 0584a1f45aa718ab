"""Whether answers differ between groups of people."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.studies.findings import Findings, Table
from dcrnet_edge.studies.options import StudiedImages, StudiedModels
from dcrnet_edge.studies.people.groups import (
    NO_CONTROL,
    USUAL_CONTROL,
    by_attribute,
    check_groups,
    chosen_attributes,
    control_of,
    read_groups,
)
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_edge.studies.training_data import own_training
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef
    from dcrnet_edge.studies.pages.interval_chart import Estimate

CLAIMED_GAP = 0.03
"""The paper's section 5: accuracies of groups lie less than 3 % apart."""

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
            help="A folder of faces without expression labels, in place of --data, --dataset and"
            " --split: shares of the answers are compared. Needs --groups."
        ),
    ] = None
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="One that is looked at; may be given again. By default all there are."),
    ] = None
    control: Annotated[
        str | None,
        typer.Option(
            help="Attribute that shares of answers are standardized for, or"
            f" {NO_CONTROL}; default: {USUAL_CONTROL}, where there is one. With labels accuracies"
            " are compared as they are."
        ),
    ] = None
    least: Annotated[int, typer.Option(min=2, help="Images that make a group.")] = 100


class Fairness:
    """Accuracy, or shares of answers, by group with intervals."""

    summary = "Do answers differ between groups of people?"
    groups = (StudiedModels, StudiedImages, FairnessOptions)

    def plan(self, models: StudiedModels, asked: StudiedImages, own: FairnessOptions) -> Plan:
        """Each model's answers, with attributes beside them."""
        from dcrnet_edge.studies.people.group_answers import people_of, write_group_answers

        refs = models.refs()
        by_image = {} if own.groups is None else read_groups(own.groups)
        images = _images(own, asked, refs, by_image)
        people = people_of(images, by_image)
        known = by_attribute(list(people.values()))
        attributes = chosen_attributes(known, own.attribute or [])
        check_groups(attributes, own.least)
        has_labels = own.unlabelled is None
        control = control_of(known, own.control)
        settings = {
            **asked.settings(images, refs),
            "models": {name: ref.sha256 for name, ref in refs.items()},
            "labelled": has_labels,
            "attributes": list(attributes),
            "control": None if has_labels else control,
            "least": own.least,
        }
        names = list(dict.fromkeys([*attributes, *([control] if control else [])]))
        return Plan(
            settings,
            [
                Unit(
                    name,
                    functools.partial(write_group_answers, ref, images, people, names, has_labels),
                )
                for name, ref in refs.items()
            ],
        )

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """Gaps of accuracy where there are labels, of answers' shares where there are none."""
        from dcrnet_edge.studies.pages.interval_chart import interval_chart
        from dcrnet_edge.studies.people.group_answers import read_group_answers
        from dcrnet_edge.studies.people.group_gaps import accuracy_gaps, share_gaps

        found = {name: read_group_answers(path) for name, path in answers.items()}
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
            verdict=[*verdict, *own_training(settings)],
            tables=tables,
            charts=[
                interval_chart(
                    f"{model}: gap between the two groups furthest apart, by attribute"
                    f"{_SHARED * (not settings['labelled'])}, with 95 %"
                    " intervals that allow for all gaps that were looked at; the dashed line is"
                    " the 3 points that the paper states for accuracy.",
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


def _images(
    own: FairnessOptions,
    asked: StudiedImages,
    refs: Mapping[str, ModelRef],
    by_image: Mapping[str, Mapping[str, str]],
) -> Images:
    from dcrnet_edge.studies.people.unlabelled import unlabelled_images

    if own.unlabelled is None:
        return asked.open()
    if own.groups is None:
        raise DcrnetError(
            "faces without labels need attributes: name their CSV file with `groups`"
        )
    return unlabelled_images(own.unlabelled, by_image, asked, refs)


FAIRNESS = Fairness()
