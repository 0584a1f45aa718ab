"""What a model loses between its own data set and another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.evaluation.bootstrap import CONFIDENCE, RESAMPLES, Interval, subject_numbers
from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_edge.evaluation.rows import Rows


@dataclass(frozen=True, slots=True)
class Loss:
    """One model on its own data set and on another one, over the labels that both have photos of.

    Attributes:
        model: its name.
        home: the data set that it was trained on.
        layout: the other one.
        labels: those.
        left_out: labels that one of them has no photo of, or that the model does not know.
        images: on its own data and on the other.
        balanced: balanced accuracy, likewise.
        balanced_interval: 95 % of the difference, both sides' images or subjects resampled.
        accuracy: likewise.
        accuracy_interval: likewise.
    """

    model: str
    home: str
    layout: str
    labels: tuple[str, ...]
    left_out: tuple[str, ...]
    images: tuple[int, int]
    balanced: tuple[float, float]
    balanced_interval: Interval
    accuracy: tuple[float, float]
    accuracy_interval: Interval

    def __str__(self) -> str:
        without = f", without {', '.join(self.left_out)}" if self.left_out else ""
        return (
            f"{self.model}, trained on {self.home}: balanced accuracy"
            f" {_difference(self.balanced, self.balanced_interval)} points on {self.layout},"
            f" accuracy {_difference(self.accuracy, self.accuracy_interval)}; both over"
            f" {len(self.labels)} labels{without}."
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def _difference(own_and_other: tuple[float, float], interval: Interval) -> str:
    own, other = own_and_other
    low, high = (100 * bound for bound in interval)
    return f"{100 * (other - own):+.1f} ({low:+.1f} to {high:+.1f})"


def losses_of(
    model: str,
    home: str,
    by_layout: Mapping[str, Predictions],
    datasets: Mapping[str, Mapping[str, Any]],
) -> list[Loss]:
    """What is left on each data set beside the model's own; over one label there is nothing."""
    if home not in by_layout:
        return []
    found, rng = [], np.random.default_rng(0)
    for layout, foreign in by_layout.items():
        own = by_layout[home]
        labels = tuple(label for label in foreign.labels if _occurs(label, own, foreign))
        if layout == home or len(labels) < 2:
            continue
        every = {*own.labels, *datasets[home]["labels"], *datasets[layout]["labels"]}
        sides = own.among(labels), foreign.among(labels)
        (own_value, own_drawn), (value, drawn) = (_resampled(side, rng) for side in sides)
        intervals = _intervals(drawn - own_drawn)
        found.append(
            Loss(
                *(model, home, layout, labels, tuple(sorted(every - {*labels}))),
                (len(sides[0].truth), len(sides[1].truth)),
                *((float(own_value[0]), float(value[0])), intervals[0]),
                *((float(own_value[1]), float(value[1])), intervals[1]),
            )
        )
    return found


def _occurs(label: str, *sides: Predictions) -> bool:
    """Whether each side has photos of it: recall is averaged over labels that occur."""
    return all(
        label in side.labels and bool((side.truth == side.labels.index(label)).any())
        for side in sides
    )


def _resampled(
    predictions: Predictions, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Balanced accuracy and accuracy, (2,), and those of resamples, (2, R).

    Images are resampled, or subjects where they are known.
    """
    labels, subjects = len(predictions.labels), subject_numbers(predictions)
    units = np.arange(len(predictions.truth)) if subjects is None else subjects
    table = np.zeros((units.max() + 1, 2, labels), np.int64)
    np.add.at(table[:, 0], (units, predictions.truth), predictions.correct)
    np.add.at(table[:, 1], (units, predictions.truth), 1)
    # Units that are alike need no telling apart: so many of each kind are drawn.
    kinds, counts = np.unique(table, axis=0, return_counts=True)
    draws = rng.multinomial(len(table), counts / len(table), size=RESAMPLES)
    drawn = np.tensordot(draws, kinds, 1)
    return _figures(table.sum(axis=0)), _figures(drawn)


def _figures(right_and_all: NDArray[np.int64]) -> NDArray[np.float64]:
    """Balanced accuracy and accuracy, (2, ...), of counts by label, (..., 2, labels)."""
    right, images = right_and_all[..., 0, :], right_and_all[..., 1, :]
    with np.errstate(invalid="ignore"):
        recall = right / images
    return np.stack([np.nanmean(recall, -1), right.sum(axis=-1) / images.sum(axis=-1)])


def _intervals(drawn: NDArray[np.float64]) -> list[Interval]:
    """The 95 % percentile intervals of (K, R) draws."""
    beyond = (1 - CONFIDENCE) / 2
    lows, highs = np.quantile(drawn, [beyond, 1 - beyond], axis=-1)
    return list(zip(lows.tolist(), highs.tolist(), strict=True))


def loss_rows(losses: Sequence[Loss]) -> Rows:
    rows = [
        [
            *("model", "trained on", "asked about", "labels", "left out", "images of each"),
            *("own balanced accuracy", "there", "points", "accuracy, points"),
        ]
    ]
    for each in losses:
        rows.append(
            [
                *(each.model, each.home, each.layout, str(len(each.labels))),
                *(", ".join(each.left_out), f"{each.images[0]} and {each.images[1]}"),
                *(f"{100 * share:.2f} %" for share in each.balanced),
                _difference(each.balanced, each.balanced_interval),
                _difference(each.accuracy, each.accuracy_interval),
            ]
        )
    return rows
