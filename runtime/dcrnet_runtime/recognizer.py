"""Faces in, expressions out."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.deprecation import renamed
from dcrnet_runtime.detectors.detector import Detector
from dcrnet_runtime.face import Face, UnusableFaceError
from dcrnet_runtime.preprocess.crops import prepare

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Recognition:
    """The expression of one face.

    Attributes:
        face: where it is.
        labels: the model's class names.
        probabilities: (labels,) float32, sums to 1.
    """

    face: Face
    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.labels[int(self.probabilities.argmax())]

    @property
    def probability(self) -> float:
        """Of :attr:`label`."""
        return float(self.probabilities.max())


class Recognizer:
    """Finds the faces of an image and classifies each, keeping no state between images.

    Args:
        model: from :func:`dcrnet_runtime.backends.loading.load_model`.
        detector: from :func:`dcrnet_runtime.detectors.detector.open_detector`.
        finder: the detector by its old name.

    Raises:
        TypeError: no detector is given, or two are.
    """

    def __init__(
        self, model: Model, detector: Detector | None = None, *, finder: Detector | None = None
    ) -> None:
        if finder is not None:
            _warn_of_name()
        if (detector is None) == (finder is None):
            raise TypeError("a Recognizer wants one detector")
        detector = detector or finder
        assert detector is not None
        self.model = model
        self.detector = detector
        trained_with = model.card.preprocess.landmarks_sha256
        if trained_with and detector.landmarks_sha256 not in ("", trained_with):
            _log.warning(
                "the model was trained with landmark network %s..., this is %s...: probabilities"
                " can differ slightly",
                trained_with[:8],
                detector.landmarks_sha256[:8],
            )

    @property
    def finder(self) -> Detector:
        """The detector by its old name."""
        _warn_of_name()
        return self.detector

    def recognize(self, rgb: NDArray[np.uint8]) -> list[Recognition]:
        """The expressions of an (H, W, 3) uint8 RGB image, one a face, best face first."""
        return self.classify(*self.prepare(rgb, self.detector.find(rgb)))

    def prepare(
        self, rgb: NDArray[np.uint8], faces: Sequence[Face]
    ) -> tuple[list[Face], list[NDArray[np.uint8]]]:
        """The crops of an image's faces, and which faces they are of.

        Returns:
            the faces that lie in the image, and an (S, S, 3) uint8 crop of each.
        """
        kept, crops = [], []
        for face in faces:
            try:
                crops.append(prepare(rgb, face, self.model.card.preprocess))
            except UnusableFaceError:  # what lies outside the frame is no face of it
                continue
            kept.append(face)
        return kept, crops

    def classify(
        self, faces: Sequence[Face], crops: Sequence[NDArray[np.uint8]]
    ) -> list[Recognition]:
        """The expressions of prepared faces, as one batch where the model takes batches."""
        if not faces:
            return []
        rows = self.model.probabilities(np.stack(crops))
        labels = self.model.card.labels
        return [Recognition(face, labels, row) for face, row in zip(faces, rows, strict=True)]


def _warn_of_name() -> None:
    text = renamed("a Recognizer's finder", "its detector")
    warnings.warn(text, DeprecationWarning, stacklevel=3)
