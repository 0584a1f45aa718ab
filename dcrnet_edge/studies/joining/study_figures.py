"""What a study's result says of each of its models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dcrnet_edge.studies.joining.figure import JoinedFigure, Quantity

Json = Mapping[str, Any]


def _robustness(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    for model, sha256 in settings["models"].items():
        told = sha256, model
        yield JoinedFigure(*told, Quantity.ACCURACY, _data(settings), facts["accuracy"][model])
        losses = facts["losses"][model]
        worst = min(losses, key=lambda name: losses[name]["difference"])
        mean = sum(each["difference"] for each in losses.values()) / len(losses)
        yield JoinedFigure(
            *(*told, Quantity.ROBUSTNESS),
            f"{_data(settings)}, mean of {len(losses)} corruptions",
            mean,
            remark=f"most by {worst}: {100 * losses[worst]['difference']:+.1f} points",
        )


def _fairness(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    for model, sha256 in settings["models"].items():
        for attribute, found in facts.get(model, {}).items():
            if settings["labelled"]:
                gap, interval, of = found["gap"], found["gap_interval"], "accuracy"
            else:
                of, widest = max(found["gaps"].items(), key=lambda item: item[1]["gap"])
                gap, interval = widest["gap"], widest["interval"]
            kind = "gap of accuracy" if settings["labelled"] else "widest gap of an answer's share"
            remark = "" if settings["labelled"] else of
            where = f"{kind} by {attribute}"
            yield JoinedFigure(sha256, model, Quantity.FAIRNESS, where, gap, *interval, remark)


def _quantization(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    for form, (model, sha256) in settings["models"].items():
        metrics = facts["metrics"][form]
        bounds = metrics["accuracy_interval"] or (None, None)
        accuracy = metrics["accuracy"]
        yield JoinedFigure(
            sha256, model, Quantity.ACCURACY, _data(settings), accuracy, *bounds, _size(settings)
        )


def _cross(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    for model, own in settings["models"].items():
        for layout in settings["datasets"]:
            metrics = facts[f"{model} on {layout}"]
            bounds = metrics["accuracy_interval"] or (None, None)
            told = own["sha256"], model, Quantity.ACCURACY, f"{layout}, shared labels"
            yield JoinedFigure(*told, metrics["accuracy"], *bounds)


def _attention(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    for model, own in settings["models"].items():
        seen = facts["shares"][model]["occlusion"]
        told = own["sha256"], model, Quantity.ATTENTION, _data(settings)
        remark = f"{seen['lift']:.2f} times an even map" if seen["lift"] is not None else ""
        yield JoinedFigure(*told, seen["share"], *seen["interval"], remark)


JOINED: dict[str, Callable[[Json, Json], Iterator[JoinedFigure]]] = {
    "robustness": _robustness,
    "fairness": _fairness,
    "quantization": _quantization,
    "cross": _cross,
    "attention": _attention,
}
"""How each study's figures are taken from its settings and facts."""


def _data(settings: Json) -> str:
    some = f", a sample of {settings['images']}" if settings.get("images") else ""
    return f"{settings['dataset']} {settings['split']}{some}"


def _size(settings: Json) -> str:
    return f"at {settings['size_px']} px" if settings.get("size_px") else ""
