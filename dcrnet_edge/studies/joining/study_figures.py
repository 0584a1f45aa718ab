"""What a study's result says of each of its models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dcrnet_edge.studies.joining.figure import JoinedFigure, Quantity

Json = Mapping[str, Any]


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
        where = f"{data}, mean of {len(losses)} corruptions"
        yield JoinedFigure(sha256, model, Quantity.ROBUSTNESS, where, mean, remark=remark)


def _fairness(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    for model, sha256 in settings["models"].items():
        for attribute, found in facts.get(model, {}).items():
            if settings["labelled"]:
                where, remark = f"gap of accuracy by {attribute}", ""
                gap, (low, high) = found["gap"], found["gap_interval"]
            else:
                where = f"widest gap of an answer's share by {attribute}"
                remark, widest = max(found["gaps"].items(), key=lambda item: item[1]["gap"])
                gap, (low, high) = widest["gap"], widest["interval"]
            yield JoinedFigure(sha256, model, Quantity.FAIRNESS, where, gap, low, high, remark)


def _quantization(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    size_px = settings["size_px"]
    remark = f"at {size_px} px" if size_px else ""
    for form, (model, sha256) in settings["models"].items():
        yield _accuracy(sha256, model, _data(settings), facts["metrics"][form], remark)


def _cross(settings: Json, facts: Json) -> Iterator[JoinedFigure]:
    for model, own in settings["models"].items():
        for layout in settings["datasets"]:
            metrics = facts[f"{model} on {layout}"]
            yield _accuracy(own["sha256"], model, f"{layout}, shared labels", metrics)


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
