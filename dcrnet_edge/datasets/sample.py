"""One labelled face image, and the splits it belongs to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import read_image

EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""The seven expressions of AffectNet-7, KDEF and FERPlus without contempt, in logit order."""

UNLABELLED = -1
"""Label of an image that only counts when repeats are looked for."""


class Split(StrEnum):
    """Which part of a data set a sample is in."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


class Alteration(Protocol):
    """What is done to a picture once it is read; hashable, since samples are."""

    @property
    def key(self) -> str:
        """What tells it from every other alteration: part of the keys of caches."""
        ...

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The altered (H, W, 3) uint8 RGB picture, the same for the same picture."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of one face.

    Attributes:
        path: image file, or the CSV that holds the pixels.
        label: index into the data set's labels.
        target: probability of each label, from annotators' votes where there are any.
        subject: who is shown; empty where that is not known.
        row_offset: where the row begins in a CSV of pixels, in bytes.
        box: the face in the image, as x, y, width and height in px, where the data set says so;
            None where the image is the face.
        groups: what the data set says of who is shown, such as ``("sex", "female")``.
        view: how it says that the head was turned, such as ``half left``; empty where it does not.
        alteration: what is done to the picture before anything else sees it.
    """

    path: Path
    label: int
    target: tuple[float, ...]
    subject: str = ""
    row_offset: int | None = None
    box: tuple[int, int, int, int] | None = None
    groups: tuple[tuple[str, str], ...] = ()
    view: str = ""
    alteration: Alteration | None = None

    @property
    def name(self) -> str:
        """The image for people: a path, with the row's offset in a CSV."""
        return str(self.path) if self.row_offset is None else f"{self.path}#{self.row_offset}"


@dataclass(frozen=True, slots=True)
class FaceDataset:
    """A data set read from disk and split.

    Attributes:
        name: the adapter's name.
        labels: class names in the order of ``Sample.label``.
        splits: the samples of each split.
        repeats: images dropped because their pixels occur again.
        unreadable: images left out because they cannot be decoded.
        protocol: how the splits were made.
        digest: SHA-256 over every image's pixels, label and split.
        images: every labelled image that can be decoded, repeats included, in the adapter's
            order, which no split changes.
        left_out: names of the files that were taken for no image: the unreadable ones, and
            ``._`` files of macOS.
    """

    name: str
    labels: tuple[str, ...]
    splits: dict[Split, list[Sample]]
    repeats: int = 0
    unreadable: int = 0
    protocol: str = "official"
    digest: str = ""
    images: Sequence[Sample] = ()
    left_out: Sequence[str] = ()


def one_hot(label: int, labels: int) -> tuple[float, ...]:
    """The target of a label that nobody voted on."""
    return tuple(float(index == label) for index in range(labels))


def read_rgb(sample: Sample) -> NDArray[np.uint8]:
    """The face's image as (H, W, 3) uint8 RGB: the part in the sample's box, if it has one.

    Raises:
        DcrnetError: it is missing or no image, or most of the box lies outside.
    """
    rgb = _read(sample)
    return rgb if sample.alteration is None else sample.alteration(rgb)


def _read(sample: Sample) -> NDArray[np.uint8]:
    if sample.row_offset is None:
        rgb = read_image(sample.path)
        return rgb if sample.box is None else _inside(rgb, sample)
    try:
        with sample.path.open("rb") as file:
            file.seek(sample.row_offset)
            row = file.readline()
    except OSError as error:
        raise DcrnetError(f"{sample.path} cannot be read: {error.strerror}") from error
    try:
        # The one cell of several numbers, wherever its column stands.
        cells = [cell.strip(b' "\r\n') for cell in row.split(b",")]
        codes = np.array(next(cell for cell in cells if b" " in cell).split(), dtype=np.int64)
        side = math.isqrt(codes.size)
        grey = codes.reshape(side, side)
    except (StopIteration, ValueError, OverflowError) as error:
        raise DcrnetError(f"{sample.name} is no row of pixels: restore the file") from error
    if side == 0 or grey.min() < 0 or grey.max() > 255:
        raise DcrnetError(f"{sample.name} is no row of pixels: restore the file")
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def _inside(rgb: NDArray[np.uint8], sample: Sample) -> NDArray[np.uint8]:
    assert sample.box is not None
    x, y, width, height = sample.box
    part = rgb[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
    if part.size == 0 or 2 * part.shape[0] * part.shape[1] < width * height:
        raise DcrnetError(
            f"the face box of {sample.name} ({width} x {height} px at {x}, {y}) lies outside the"
            f" image ({rgb.shape[1]} x {rgb.shape[0]} px): use the table and the images of one"
            " release"
        )
    return np.ascontiguousarray(part)


def class_counts(samples: Iterable[Sample], labels: int) -> NDArray[np.int64]:
    """Samples of each label, (labels,)."""
    return np.bincount([sample.label for sample in samples], minlength=labels)
