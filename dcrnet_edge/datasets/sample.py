"""One labelled face image, and the splits it belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError

EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""The seven expressions of AffectNet-7, KDEF and FERPlus without contempt, in logit order."""


class Split(StrEnum):
    """Which part of a data set a sample is in."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of one face.

    Attributes:
        path: image file.
        label: index into the data set's labels.
        target: probability of each label, from annotators' votes where there are any.
    """

    path: Path
    label: int
    target: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FaceDataset:
    """A data set read from disk.

    Attributes:
        name: the adapter's name.
        labels: class names in the order of ``Sample.label``.
        splits: the samples of each split.
        repeats: images dropped because their pixels occur again.
    """

    name: str
    labels: tuple[str, ...]
    splits: dict[Split, list[Sample]]
    repeats: int


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """The image as (H, W, 3) uint8 RGB.

    Raises:
        DcrnetError: the file is missing or no image.
    """
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DcrnetError(f"{path} is missing or is no image: remove its row or restore the file")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def without_repeats(splits: dict[Split, list[Path]]) -> tuple[dict[Split, list[Path]], int]:
    """Drop images whose pixels occur twice, within and across splits.

    Test has priority, then Valid, so that nothing of them is left in Train.

    Returns:
        the images of each split in their order, and how many were dropped.
    """
    seen: set[bytes] = set()
    kept: dict[Split, list[Path]] = {}
    for split in (Split.TEST, Split.VALID, Split.TRAIN):
        kept[split] = []
        for path in splits[split]:
            digest = sha256(read_rgb(path).tobytes()).digest()
            if digest not in seen:
                seen.add(digest)
                kept[split].append(path)
    dropped = sum(map(len, splits.values())) - len(seen)
    return kept, dropped


def class_counts(samples: Iterable[Sample], labels: int) -> NDArray[np.int64]:
    """Samples of each label, (labels,)."""
    return np.bincount([sample.label for sample in samples], minlength=labels)
