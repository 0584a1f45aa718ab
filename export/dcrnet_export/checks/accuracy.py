"""What reduced precision costs on labelled images."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from dcrnet_edge.evaluation.comparison import Comparison, compare
from dcrnet_edge.evaluation.metrics import compute_metrics
from dcrnet_export.checks.references import LabelledFaces
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_runtime.backends.model import Model


class Verdict(StrEnum):
    """What labelled images say about a tolerance."""

    WITHIN = "within"
    BEYOND = "beyond"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """An artifact against the float network on the same labelled images.

    Attributes:
        accuracy: the artifact's, a fraction.
        calibration_error: the artifact's expected calibration error (L1, 15 bins).
        comparison: float less artifact: its ``difference`` is the drop.
        verdict: whether the tolerance holds.
    """

    accuracy: float
    calibration_error: float
    comparison: Comparison
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """As JSON values, for a card's figures."""
        return {**asdict(self), "verdict": self.verdict.value}

    def describe(self) -> str:
        """The drop with its interval, in points of accuracy."""
        low, high = (100 * bound for bound in self.comparison.interval)
        return (
            f"drop {100 * self.comparison.difference:.2f} ({low:.2f} to {high:.2f}) points on"
            f" {self.comparison.images} images, p {self.comparison.p_value:.2g}"
        )


def measure_accuracy(model: Model, faces: LabelledFaces, tolerances: Tolerances) -> Accuracy:
    """Run an artifact on all labelled images; its labels are in the float network's order."""
    found = replace(faces.expected, probabilities=model.probabilities(faces.crops))
    comparison = compare(faces.expected, found)
    numbers = compute_metrics(found)
    return Accuracy(
        numbers.accuracy,
        numbers.expected_calibration_error,
        comparison,
        verdict(comparison, tolerances),
    )


def verdict(comparison: Comparison, tolerances: Tolerances) -> Verdict:
    """Whether the drop is within its tolerance, if the images can show it.

    They can where the interval is narrow enough for a drop within its tolerance to have its upper
    end within the bound. With fewer images only a drop that is surely too large counts.
    """
    low, high = comparison.interval
    room = tolerances.drop_bound - tolerances.accuracy_drop
    enough = comparison.images >= tolerances.least_images
    if comparison.difference <= tolerances.accuracy_drop and high <= tolerances.drop_bound:
        return Verdict.WITHIN if enough else Verdict.NOT_SHOWN
    narrow = enough and high - comparison.difference <= room
    return Verdict.BEYOND if narrow or low > tolerances.accuracy_drop else Verdict.NOT_SHOWN
