"""What the checks found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dcrnet_export.checks.accuracy import Accuracy
from dcrnet_export.checks.features import FeatureParity
from dcrnet_export.checks.parity import Parity
from dcrnet_runtime.backends.golden import GOLDEN_KEY, Golden


@dataclass(frozen=True, slots=True)
class Findings:
    """What the checks found of an artifact.

    Attributes:
        problem: why it is rejected; None if it is not.
        parity: against torch, if it ran.
        accuracy: on labelled images, if there were any and it ran on them.
        golden: its answers to the golden inputs, if it got so far.
        features: its features against torch, if it has any and they were compared.
    """

    problem: str | None
    parity: Parity | None = None
    accuracy: Accuracy | None = None
    golden: Golden | None = None
    features: FeatureParity | None = None

    def metrics(self, source: str) -> dict[str, Any]:
        """For the card.

        Args:
            source: of the faces that were compared on.
        """
        parity, accuracy = self.parity, self.accuracy
        measured: dict[str, Any] = {
            "parity": parity and {**parity.to_json(), "source": source},
            "accuracy": accuracy and accuracy.to_json(),
        }
        if self.features is not None:
            measured["features"] = {**self.features.to_json(), "source": source}
        golden = {} if self.golden is None else {GOLDEN_KEY: self.golden.to_json()}
        return {"export": measured, **golden}
