"""How good a model is, by its predictions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import (
    classification_report,
    confusion_matrix,
    log_loss,
)
from torchmetrics.functional.classification import multiclass_calibration_error

from dcrnet_edge.evaluation.bootstrap import (
    RESAMPLES,
    SHARES,
    Interval,
    interval_of_equals,
    percentile_interval,
    subject_numbers,
)
from dcrnet_edge.evaluation.predictions import Predictions

ECE_BINS = 15


@dataclass(frozen=True, slots=True)
class Metrics:
    """One model on one set of images.

    Attributes:
        images: how many.
        accuracy: share of right answers.
        balanced_accuracy: mean recall of the classes that occur.
        macro_f1: mean F1 of the classes that occur or are answered.
        accuracy_interval: 95 % percentile interval of a seeded bootstrap over subjects where they
            are known, else over images; None of a single image.
        balanced_accuracy_interval: the same.
        macro_f1_interval: the same.
        resampled: what was resampled for the intervals, and how many.
        expected_calibration_error: L1, 15 equal bins.
        log_loss: mean negative log-likelihood, in nats.
        box_only_share: share of images whose face has no landmarks.
        accuracy_aligned: of the images with landmarks; None where there are none.
        accuracy_box_only: of those without.
        classes: scikit-learn's report, as the paper's tables 5 and 7.
        confusion: images by true and predicted label.
    """

    images: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    accuracy_interval: Interval | None
    balanced_accuracy_interval: Interval | None
    macro_f1_interval: Interval | None
    resampled: str
    expected_calibration_error: float
    log_loss: float
    box_only_share: float
    accuracy_aligned: float | None
    accuracy_box_only: float | None
    classes: dict[str, dict[str, float] | float]
    confusion: list[list[int]]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def compute_metrics(predictions: Predictions) -> Metrics:
    """What follows from the answers of one model."""
    truth, predicted = predictions.truth, predictions.predicted
    labels = range(len(predictions.labels))
    aligned = predictions.aligned
    accuracy, balanced, macro_f1 = resampled_metrics(truth, predicted, len(labels))
    intervals = _intervals(predictions)
    return Metrics(
        images=len(truth),
        accuracy=float(accuracy),
        balanced_accuracy=float(balanced),
        macro_f1=float(macro_f1),
        accuracy_interval=intervals[0],
        balanced_accuracy_interval=intervals[1],
        macro_f1_interval=intervals[2],
        resampled=_resampled(predictions),
        expected_calibration_error=_expected_calibration_error(predictions),
        log_loss=float(log_loss(truth, _normalised(predictions), labels=list(labels))),
        box_only_share=float(1 - aligned.mean()),
        accuracy_aligned=_mean(predictions.correct[aligned]),
        accuracy_box_only=_mean(predictions.correct[~aligned]),
        classes=classification_report(
            truth,
            predicted,
            labels=labels,
            target_names=predictions.labels,
            output_dict=True,
            zero_division=0,
        ),
        confusion=confusion_matrix(truth, predicted, labels=labels).tolist(),
    )


def resampled_metrics(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], labels: int
) -> NDArray[np.float64]:
    """Accuracy, balanced accuracy and macro-F1 of many resamples at once.

    As scikit-learn's, which take one resample at a time: the mean recall of the classes that
    occur, and the mean F1 of the classes that occur or are answered.

    Args:
        truth: (..., N) labels.
        predicted: (..., N) labels.
        labels: how many there are.

    Returns:
        (3, ...) fractions.
    """
    shape = truth.shape[:-1]
    cells = (truth * labels + predicted).reshape(-1, truth.shape[-1])
    cells = cells + labels**2 * np.arange(len(cells))[:, None]
    counts = np.bincount(cells.ravel(), minlength=len(cells) * labels**2)
    return _metrics(counts.reshape(*shape, labels, labels))


def _metrics(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(3, ...) of confusion matrices (..., labels, labels), true label first."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    occurs, answered = confusion.sum(axis=-1), confusion.sum(axis=-2)
    with np.errstate(invalid="ignore"):
        recall, f1 = hits / occurs, 2 * hits / (occurs + answered)
    accuracy = hits.sum(axis=-1) / occurs.sum(axis=-1)
    return np.stack([accuracy, np.nanmean(recall, -1), np.nanmean(f1, -1)])


def _resampled(predictions: Predictions) -> str:
    subjects = subject_numbers(predictions)
    images = len(predictions.truth)
    return f"{images} images" if subjects is None else f"{subjects.max() + 1} subjects"


def _intervals(predictions: Predictions) -> list[Interval | None]:
    """Of accuracy, balanced accuracy and macro-F1."""
    truth, predicted, labels = predictions.truth, predictions.predicted, len(predictions.labels)
    if len(truth) < 2:
        return [None, None, None]
    subjects = subject_numbers(predictions)
    if subjects is None:
        lows, highs = percentile_interval(
            lambda chosen: resampled_metrics(truth[chosen], predicted[chosen], labels),
            len(truth),
            RESAMPLES,
        )
    else:
        confusion = np.zeros((subjects.max() + 1, labels, labels), np.int64)
        np.add.at(confusion, (subjects, truth, predicted), 1)
        lows, highs = percentile_interval(
            lambda chosen: _metrics(confusion[chosen].sum(axis=-3)), len(confusion), RESAMPLES
        )
    found: list[Interval | None] = list(zip(lows.tolist(), highs.tolist(), strict=True))
    right = predictions.correct
    if right.all() or not right.any():  # of which every resample is alike
        units = len(truth) if subjects is None else subjects.max() + 1
        found[0] = interval_of_equals(float(right[0]), units, SHARES)
    return found


def _expected_calibration_error(predictions: Predictions) -> float:
    return float(
        multiclass_calibration_error(
            torch.from_numpy(_normalised(predictions)),
            torch.from_numpy(predictions.truth),
            num_classes=len(predictions.labels),
            n_bins=ECE_BINS,
        )
    )


def _normalised(predictions: Predictions) -> NDArray[np.float32]:
    """Rows that sum to 1, which rounding in a file may have undone."""
    probabilities = predictions.probabilities
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _mean(correct: NDArray[np.bool_]) -> float | None:
    return float(correct.mean()) if correct.size else None
