"""How good a model is on a split: predictions, and the figures that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    classification_report,
    f1_score,
)

from dcrnet_edge.checkpoint import load_checkpoint
from dcrnet_edge.datasets.sample import Sample, read_rgb
from dcrnet_edge.run import predict
from dcrnet_runtime.backends import Model, load_model
from dcrnet_runtime.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess import prepare

CHECKPOINT_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A model's answers on a split.

    Attributes:
        labels: class names.
        truth: (N,) int64.
        probabilities: (N, labels) float32.
        aligned: (N,) bool, whether landmarks were found.
    """

    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    aligned: NDArray[np.bool_]

    def figures(self) -> dict[str, Any]:
        """Accuracy, balanced accuracy, macro-F1, the per-class report, and both paths'."""
        predicted = self.probabilities.argmax(axis=1)
        return {
            "images": len(self.truth),
            "accuracy": float(accuracy_score(self.truth, predicted)),
            "balanced_accuracy": float(balanced_accuracy_score(self.truth, predicted)),
            "macro_f1": float(f1_score(self.truth, predicted, average="macro", zero_division=0)),
            "box_only_share": float(1 - self.aligned.mean()),
            "accuracy_aligned": _accuracy(self.truth, predicted, self.aligned),
            "accuracy_box_only": _accuracy(self.truth, predicted, ~self.aligned),
            "classes": classification_report(
                self.truth,
                predicted,
                labels=range(len(self.labels)),
                target_names=self.labels,
                output_dict=True,
                zero_division=0,
            ),
        }


def evaluate(
    path: Path, labels: tuple[str, ...], samples: Sequence[Sample], faces: Sequence[Face]
) -> Evaluation:
    """Run a checkpoint (torch) or an exported model (the runtime) on prepared faces.

    Args:
        path: of the model.
        labels: the data set's.
        samples: of one split.
        faces: one a sample.

    Raises:
        DcrnetError: the file is no model, or its labels are not the data set's.
    """
    if path.suffix == CHECKPOINT_SUFFIX:
        checkpoint = load_checkpoint(path)
        _check_labels(path, checkpoint.card, labels)
        probabilities = predict(checkpoint.network, samples, faces, checkpoint.card.preprocess)
    else:
        model = load_model(path)
        _check_labels(path, model.card, labels)
        probabilities = _predict_exported(model, samples, faces)
    return Evaluation(
        labels,
        np.array([sample.label for sample in samples]),
        probabilities,
        np.array([face.landmarks is not None for face in faces]),
    )


def _check_labels(path: Path, card: ModelCard, labels: tuple[str, ...]) -> None:
    if card.labels != labels:
        raise DcrnetError(
            f"{path} knows {', '.join(card.labels)}; the data set has {', '.join(labels)}: choose"
            " a model trained on these labels"
        )


def _predict_exported(
    model: Model, samples: Sequence[Sample], faces: Sequence[Face]
) -> NDArray[np.float32]:
    rows = [
        model.probabilities(prepare(read_rgb(sample.path), face, model.card.preprocess)[None])
        for sample, face in zip(samples, faces, strict=True)
    ]
    return np.concatenate(rows)


def _accuracy(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> float | None:
    return float(accuracy_score(truth[chosen], predicted[chosen])) if chosen.any() else None
