"""What a generator learns from: a data set's pictures, small and grey."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.datasets.sample import FaceDataset, Sample, Split, class_counts, read_rgb
from dcrnet_edge.studies.generating.networks import SIDE
from dcrnet_runtime.errors import DcrnetError

LEAST_IMAGES = 20
"""Of a label that is to be generated: of fewer a generator learns single pictures."""

_RARE_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pictures with labels.

    Attributes:
        grey: (N, 48, 48) uint8.
        labels: (N,) int64.
    """

    grey: NDArray[np.uint8]
    labels: NDArray[np.int64]


def rare_labels(dataset: FaceDataset, named: Sequence[str]) -> tuple[str, ...]:
    """The labels that faces are to be generated of, in the data set's order.

    Args:
        dataset: its Train is counted.
        named: by the user; where there are none, those of which Train has less than half as many
            images as the mean label.

    Raises:
        DcrnetError: the data set lacks one, or has too few images of it; or none is rare.
    """
    counts = dict(zip(dataset.labels, _counts(dataset), strict=True))
    if unknown := [name for name in named if name not in counts]:
        raise DcrnetError(
            f"`label` {unknown[0]} is none of the data set's: choose {', '.join(counts)}"
        )
    limit = _RARE_SHARE * sum(counts.values()) / len(counts)
    rare = tuple(n for n in counts if (n in named if named else counts[n] < limit))
    if not rare:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise DcrnetError(
            f"no label is rare (Train has {told}): name those to generate with `label`"
        )
    if few := [name for name in rare if counts[name] < LEAST_IMAGES]:
        raise DcrnetError(
            f"Train has {counts[few[0]]} images of {few[0]}, and a generator needs"
            f" {LEAST_IMAGES}: add images, or name other labels with `label`"
        )
    return rare


def chosen_samples(dataset: FaceDataset, per_label: int, seed: int) -> list[Sample]:
    """Up to so many Train samples of each label, the same for the same seed.

    Args:
        dataset: the data.
        per_label: how many of each; 0 takes all.
        seed: of the choice.

    Raises:
        DcrnetError: a label has none.
    """
    samples = dataset.splits[Split.TRAIN]
    chosen: list[int] = []
    for label, name in enumerate(dataset.labels):
        own = np.array([i for i, sample in enumerate(samples) if sample.label == label], np.int64)
        if not len(own):
            raise DcrnetError(
                f"Train has no image of {name}: a generator cannot learn what it never sees;"
                " add images"
            )
        order = np.random.default_rng((seed, label)).permutation(own)
        chosen += order[: per_label or None].tolist()
    return [samples[i] for i in sorted(chosen)]


def pictures_of(samples: Sequence[Sample]) -> Pictures:
    """Samples as a generator sees them."""
    with ThreadPoolExecutor() as pool:
        grey = list(pool.map(lambda sample: grey_picture(read_rgb(sample)), samples))
    labels = np.array([sample.label for sample in samples], np.int64)
    return Pictures(np.stack(grey), labels)


def grey_picture(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle square of an (H, W, 3) uint8 picture as luma, averaged to (48, 48) uint8."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[top : top + side, left : left + side]
    way = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(luma, (SIDE, SIDE), interpolation=way), np.uint8)


def sheet(rows: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures side by side, (N, 48, 48) uint8 a row, as one grey picture with white seams."""
    columns = max(len(row) for row in rows)
    step = SIDE + 1
    whole = np.full((step * len(rows) + 1, step * columns + 1), 255, np.uint8)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            whole[step * y + 1 : step * (y + 1), step * x + 1 : step * (x + 1)] = picture
    return whole


def _counts(dataset: FaceDataset) -> list[int]:
    return class_counts(dataset.splits[Split.TRAIN], len(dataset.labels)).tolist()
