"""What a study's result says of each of its models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from dcrnet_edge.studies.joining.figure import DIGITS, JoinedFigure, Quantity
from dcrnet_edge.studies.pictures.families import Family

Json = Mapping[str, Any]
Taking = Callable[[Json, Json], Iterator[JoinedFigure]]
_UNLABELLED = "unlabelled"
"""What a folder of faces without labels is called, whichever it is."""
_OWN_SPLITS = ("official", "paper: official")


def _robustness(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    data = _data(settings)
    for model, sha256 in settings["models"].items():
        low, high = facts["accuracy_interval"][model] or (None, None)
        share = facts["accuracy"][model]
        yield JoinedFigure(sha256, model, Quantity.ACCURACY, data, share, low, high)
        losses = facts["losses"][model]
        worst = min(losses, key=lambda name: losses[name]["difference"])
        mean = sum(each["difference"] for each in losses.values()) / len(losses)
        remark = f"most by {worst}: {100 * losses[worst]['difference']:+.1f} points"
        where = f"{data}, mean of {_kinds(settings['strengths'])}"
        yield JoinedFigure(sha256, model, Quantity.ROBUSTNESS, where, mean, remark=remark)


def _kinds(families: Iterable[str]) -> str:
    every = {*families} == {*Family}
    return f"all {len(Family)} kinds" if every else ", ".join(families)


def _fairness(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    from dcrnet_edge.studies.people.group_gaps import NO_LANDMARKS

    data = _data(settings)
    for model, sha256 in settings["models"].items():
        for attribute, found in facts.get(model, {}).items():
            if settings["labelled"]:
                where, remark = f"{data}, gap of accuracy by {attribute}", ""
                gap, (low, high) = found["gap"], found["gap_interval"]
            else:
                where = f"{data}, widest gap of an answer's share by {attribute}"
                answers = [item for item in found["gaps"].items() if item[0] != NO_LANDMARKS]
                remark, widest = max(answers, key=lambda item: item[1]["gap"])
                gap, (low, high) = widest["gap"], widest["interval"]
            yield JoinedFigure(sha256, model, Quantity.FAIRNESS, where, gap, low, high, remark)


def _quantization(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    size_px = settings["size_px"]
    remark = f"at {size_px} px" if size_px else ""
    for form, (model, sha256) in settings["models"].items():
        yield _accuracy(sha256, model, _data(settings), facts["metrics"][form], remark)


def _cross(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    for model, own in settings["models"].items():
        for layout, images in settings["datasets"].items():
            metrics = facts[f"{model} on {layout}"]
            where = f"{_part(layout, images)}, shared labels"
            figure = _accuracy(own["sha256"], model, where, metrics)
            yield replace(figure, data=layout, data_sha256=images["data_sha256"])


def _attention(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    for model, own in settings["models"].items():
        seen = facts["shares"][model]["occlusion"]
        low, high = seen["interval"]
        remark = "" if seen["lift"] is None else f"{seen['lift']:.2f} times an even map"
        told = own["sha256"], model, Quantity.ATTENTION, _data(settings)
        yield JoinedFigure(*told, seen["share"], low, high, remark)


def _accuracy(
    sha256: str, model: str, where: str, metrics: Json, remark: str = ""
) -> JoinedFigure:
    low, high = metrics["accuracy_interval"] or (None, None)
    share = metrics["accuracy"]
    return JoinedFigure(sha256, model, Quantity.ACCURACY, where, share, low, high, remark)


def _of_one(taken: Taking) -> Taking:
    """A study of one data set: it is stated beside each of its figures."""

    def take(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
        told = {"data": _name(settings), "data_sha256": settings["data_sha256"]}
        return (replace(figure, **told) for figure in taken(settings, facts))

    return take


JOINED: dict[str, Taking] = {
    "robustness": _of_one(_robustness),
    "fairness": _of_one(_fairness),
    "quantization": _of_one(_quantization),
    "cross": _cross,
    "attention": _of_one(_attention),
}
"""How each study's figures are taken from its settings and facts."""


def _name(settings: Json) -> str:
    if settings["dataset"] == _UNLABELLED:
        return f"faces without labels {settings['data_sha256'][:DIGITS]}"
    return str(settings["dataset"])


def _data(settings: Json) -> str:
    """What was asked about: figures of different images are not to be compared."""
    images, seed = settings.get("images"), settings.get("seed", 0)
    some = f", a sample of {images} (seed {seed})" if images else ""
    if settings["dataset"] == _UNLABELLED:
        return f"{_name(settings)}{some}"
    return f"{_part(settings['dataset'], settings, settings['split'])}{some}"


def _part(name: str, images: Json, split: str = "test") -> str:
    """A data set's name, its part, and how it was split where that is not its own split.

    Args:
        name: of the data set.
        images: its protocol, and the part in place of ``split`` where it is another one.
        split: the part.
    """
    part = images.get("part", split)
    rule = images.get("protocol", _OWN_SPLITS[0]).partition(";")[0]
    by = "" if rule in _OWN_SPLITS or part == "whole" else f" ({rule})"
    return f"{name} {part}{by}"
