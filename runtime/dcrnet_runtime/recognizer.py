"""Faces in, expressions out."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice, repeat

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.model import Model, feature_model
from dcrnet_runtime.backends.runners.answers import checked_answers
from dcrnet_runtime.deprecation import renamed
from dcrnet_runtime.detectors.box_search import face_in_box, face_of_crop, whole_picture
from dcrnet_runtime.detectors.detector import Detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face, UnusableFaceError
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.rgb import Picture, as_rgb

UNCERTAIN = "uncertain"
"""What is written for a person in the place of a label that is None."""

_LARGEST_BOX = 4.0  # times the picture's longer side
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recognition:
    """The expression of one face.

    Attributes:
        face: where it is.
        labels: the model's class names.
        probabilities: (labels,) float32, sums to 1.
        min_confidence: the probability, 0..1, below which no label is given.
        features: (C,) float32, what the network's head reads; None unless the recognizer was
            asked for features.
    """

    face: Face
    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]
    min_confidence: float = 0.0
    features: NDArray[np.float32] | None = None

    @property
    def label(self) -> str | None:
        """The most probable label; None where it is less probable than :attr:`min_confidence`."""
        if self.probability < self.min_confidence:
            return None
        return self.labels[int(self.probabilities.argmax())]

    @property
    def probability(self) -> float:
        """Of the most probable label, 0..1."""
        return float(self.probabilities.max())

    @property
    def logits(self) -> NDArray[np.float32]:
        """(labels,) float32: the network's, less a constant that softmax does not see.

        They are the logarithms of :attr:`probabilities`, so that their softmax is these again.
        """
        return np.log(np.maximum(self.probabilities, np.finfo(np.float32).tiny))

    def __repr__(self) -> str:
        return f"Recognition({self.label or UNCERTAIN} {self.probability:.2f}, {self.face!r})"


class Recognizer:
    """Finds the faces of an image and classifies each, keeping no state between images.

    Args:
        model: from :func:`dcrnet_runtime.backends.loading.load_model`.
        detector: from :func:`dcrnet_runtime.detectors.detector.open_detector`.
        min_confidence: probability, 0..1, below which a face's label is None.
        gives_features: give each :class:`Recognition` its features, of which a person can be
            recognised again more easily than of probabilities: never unless asked for.
        finder: the detector by its old name.

    Raises:
        TypeError: no detector is given, or two are.
        DcrnetError: features are asked for, and the model has none.
    """

    def __init__(
        self,
        model: Model,
        detector: Detector | None = None,
        *,
        min_confidence: float = 0.0,
        gives_features: bool = False,
        finder: Detector | None = None,
    ) -> None:
        if finder is not None:
            _warn_of_name()
        if (detector is None) == (finder is None):
            raise TypeError("a Recognizer wants one detector")
        detector = detector or finder
        assert detector is not None
        self.model = model
        self.detector = detector
        self.min_confidence = min_confidence
        self.gives_features = gives_features
        if gives_features:
            feature_model(model)
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

    def recognize(
        self, rgb: Picture, boxes: Iterable[Box | Sequence[float]] | None = None
    ) -> list[Recognition]:
        """The expressions of a picture, one a face, best face first.

        Where no face is seen, it is looked for once more as in a picture that one face fills.

        Args:
            rgb: (H, W, 3) uint8 RGB, or anything else that
                :func:`dcrnet_runtime.preprocess.rgb.as_rgb` takes.
            boxes: faces that someone else has found, each a :class:`dcrnet_runtime.face.Box` or
                (x, y, width, height) in px: then there is one answer for each, in their order,
                and the detector looks for landmarks in them alone.

        Raises:
            DcrnetError: it is no picture, or a box is none or lies outside it.
        """
        rgb = as_rgb(rgb)
        if boxes is None:
            return self.classify(*self.prepare(rgb, self.find(rgb)))
        return self._recognize_in([(rgb, _checked_box(box, rgb)) for box in boxes])

    def recognize_crops(self, pictures: Iterable[Picture]) -> list[Recognition]:
        """The expressions of pictures that are each a face crop: one answer for each, in order.

        As in training, the landmarks are looked for in each, and a crop in which there are none
        is taken as it is.

        Args:
            pictures: each (H, W, 3) uint8 RGB, of any size, or anything else that
                :func:`dcrnet_runtime.preprocess.rgb.as_rgb` takes.

        Raises:
            DcrnetError: one of them is no picture.
        """
        crops = [as_rgb(picture) for picture in pictures]
        return self._recognize_in([(rgb, whole_picture(rgb)) for rgb in crops])

    def recognize_batch(self, pictures: Iterable[Picture]) -> list[list[Recognition]]:
        """The expressions of several pictures: what :meth:`recognize` says of each, in order.

        All their faces go through the model as one batch where it takes batches, which an
        accelerator may need; a processor takes as long for each face in a batch as alone.

        Args:
            pictures: each (H, W, 3) uint8 RGB, of any size, or anything else that
                :func:`dcrnet_runtime.preprocess.rgb.as_rgb` takes.

        Raises:
            DcrnetError: one of them is no picture.
        """
        decoded = [as_rgb(picture) for picture in pictures]
        prepared = [self.prepare(rgb, self.find(rgb)) for rgb in decoded]
        faces = [face for kept, _ in prepared for face in kept]
        answers = iter(self.classify(faces, [crop for _, crops in prepared for crop in crops]))
        return [list(islice(answers, len(kept))) for kept, _ in prepared]

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        """The faces of an (H, W, 3) uint8 RGB picture, best first; also the one that fills it."""
        found = self.detector.find(rgb)
        if not found and (face := face_of_crop(rgb, self.detector)) is not None:
            return [face]
        return found

    def _recognize_in(self, boxes: Sequence[tuple[NDArray[np.uint8], Box]]) -> list[Recognition]:
        """One answer for each box of a picture."""
        faces = [
            replace(face_in_box(rgb, box, self.detector), outside=_outside(box, rgb))
            for rgb, box in boxes
        ]
        spec = self.model.card.preprocess
        crops = [prepare(rgb, face, spec) for (rgb, _), face in zip(boxes, faces, strict=True)]
        return self.classify(faces, crops)

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
            kept.append(replace(face, outside=_outside(face.box, rgb)))
        return kept, crops

    def classify(
        self, faces: Sequence[Face], crops: Sequence[NDArray[np.uint8]]
    ) -> list[Recognition]:
        """The expressions of prepared faces, as one batch where the model takes batches.

        Raises:
            DcrnetError: what the model answers is no probabilities.
        """
        if not faces:
            return []
        labels = self.model.card.labels
        features: Iterable[NDArray[np.float32] | None] = repeat(None, len(faces))
        if self.gives_features:
            answers = feature_model(self.model).answers(np.stack(crops))
            answered, features = answers.probabilities, answers.features
        else:
            answered = self.model.probabilities(np.stack(crops))
        rows = checked_answers(answered, len(faces), len(labels))
        return [
            Recognition(face, labels, row, self.min_confidence, own)
            for face, row, own in zip(faces, rows, features, strict=True)
        ]


def _outside(box: Box, rgb: NDArray[np.uint8]) -> float:
    return box.outside(*rgb.shape[1::-1])


def _checked_box(box: Box | Sequence[float], rgb: NDArray[np.uint8]) -> Box:
    """A box that a crop can be made of.

    Raises:
        DcrnetError: it is none.
    """
    if not isinstance(box, Box):
        try:
            box = Box(*map(float, box))
        except (TypeError, ValueError) as error:
            raise DcrnetError(
                f"{box!r} in `boxes` is no box: give (x, y, width, height) in px;"
                " Box.from_corners makes one of two corners"
            ) from error
    height, width = rgb.shape[:2]
    is_sized = min(box.width, box.height) > 0 and box.side <= _LARGEST_BOX * max(width, height)
    if not (is_sized and box.outside(width, height) < 1.0):
        raise DcrnetError(
            f"{box} in `boxes` is no box of a {width} x {height} px picture: give (x, y, width,"
            " height) in px; Box.from_corners makes one of two corners"
        )
    return box


def _warn_of_name() -> None:
    text = renamed("a Recognizer's finder", "its detector")
    warnings.warn(text, DeprecationWarning, stacklevel=3)
