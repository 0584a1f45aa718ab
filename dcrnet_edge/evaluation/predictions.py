"""A model's answers to every image of a split, and the small file that keeps them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

PREDICTIONS_SUFFIX = ".csv"
_COLUMNS = ("image", "part", "subject", "aligned", "label", "predicted")
_PROBABILITY = "p_"


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Answers, image by image.

    Attributes:
        labels: class names.
        images: (N) paths relative to the data set's folder, with ``#offset`` in a CSV of pixels.
        parts: (N) the split, or the fold that an image was tested in.
        subjects: (N) who is shown; empty where that is not known.
        aligned: (N,) bool, whether landmarks were found.
        truth: (N,) int64 labels.
        probabilities: (N, labels) float32, rows sum to 1.
    """

    labels: tuple[str, ...]
    images: tuple[str, ...]
    parts: tuple[str, ...]
    subjects: tuple[str, ...]
    aligned: NDArray[np.bool_]
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable label, (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether it is the true one, (N,)."""
        return self.predicted == self.truth

    @classmethod
    def joined(cls, predictions: Sequence[Predictions]) -> Predictions:
        """Several parts, such as the folds of a cross-validation, as one.

        Raises:
            DcrnetError: their labels differ.
        """
        labels = predictions[0].labels
        if any(part.labels != labels for part in predictions):
            raise DcrnetError("predictions with different labels cannot be joined")
        return cls(
            labels,
            tuple(image for part in predictions for image in part.images),
            tuple(name for part in predictions for name in part.parts),
            tuple(subject for part in predictions for subject in part.subjects),
            np.concatenate([part.aligned for part in predictions]),
            np.concatenate([part.truth for part in predictions]),
            np.concatenate([part.probabilities for part in predictions]),
        )

    def among(self, labels: tuple[str, ...]) -> Predictions:
        """Only the images and the probabilities of some labels, renormalised.

        Raises:
            DcrnetError: no image has one of them.
        """
        columns = [self.labels.index(label) for label in labels]
        kept = np.isin(self.truth, columns)
        if not kept.any():
            raise DcrnetError(f"no image is labelled {', '.join(labels)}")
        probabilities = self.probabilities[kept][:, columns]
        return Predictions(
            labels,
            tuple(np.array(self.images)[kept]),
            tuple(np.array(self.parts)[kept]),
            tuple(np.array(self.subjects)[kept]),
            self.aligned[kept],
            np.array([columns.index(label) for label in self.truth[kept]]),
            probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12),
        )


def save_predictions(path: Path, predictions: Predictions) -> None:
    """Write one row an image, probabilities to four digits."""
    names = [f"{_PROBABILITY}{label}" for label in predictions.labels]
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_COLUMNS, *names])
        for i, image in enumerate(predictions.images):
            writer.writerow(
                [
                    image,
                    predictions.parts[i],
                    predictions.subjects[i],
                    int(predictions.aligned[i]),
                    predictions.labels[predictions.truth[i]],
                    predictions.labels[predictions.predicted[i]],
                    *(f"{p:.4f}" for p in predictions.probabilities[i]),
                ]
            )


def read_predictions(path: Path) -> Predictions:
    """Read what :func:`save_predictions` wrote.

    The stated label counts where rounding has made two probabilities equal.

    Raises:
        DcrnetError: the file is missing, damaged or foreign.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DcrnetError(f"predictions file {path} cannot be read ({error})") from error
    columns = list(reader.fieldnames or ()) if rows else []
    labels = tuple(
        name.removeprefix(_PROBABILITY) for name in columns if name.startswith(_PROBABILITY)
    )
    missing = [name for name in _COLUMNS if name not in columns]
    if missing or not labels:
        raise DcrnetError(
            f"{path} is no predictions file: it lacks {', '.join(missing) or 'p_<label> columns'};"
            " dcrnet-eval --predictions FILE writes one"
        )
    try:
        probabilities = np.array(
            [[float(row[f"{_PROBABILITY}{label}"]) for label in labels] for row in rows],
            np.float32,
        )
        predicted = np.array([labels.index(row["predicted"]) for row in rows])
        truth = np.array([labels.index(row["label"]) for row in rows])
        aligned = np.array([bool(int(row["aligned"])) for row in rows])
    except (TypeError, ValueError) as error:
        raise DcrnetError(f"{path} has a damaged row ({error}): write it again") from error
    most = probabilities.max(axis=1)
    if not np.isfinite(probabilities).all() or (most > 1).any() or (probabilities < 0).any():
        raise DcrnetError(f"{path} has probabilities outside 0 to 1: write it again")
    rows_at = np.arange(len(rows))
    if (probabilities[rows_at, predicted] < most).any():
        raise DcrnetError(f"{path} states labels that are not the most probable: write it again")
    probabilities[rows_at, predicted] += 1e-6
    return Predictions(
        labels,
        tuple(row["image"] for row in rows),
        tuple(row["part"] for row in rows),
        tuple(row["subject"] for row in rows),
        aligned,
        truth,
        probabilities,
    )
