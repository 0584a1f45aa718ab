"""Generated pictures as a CSV file, and as files of their own for all that reads pictures."""

from __future__ import annotations

import base64
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.datasets.sample import Sample, one_hot
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

csv.field_size_limit(1 << 24)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture.

    Attributes:
        label: name of its label.
        image: its own name.
        grey: (48, 48) uint8.
    """

    label: str
    image: str
    grey: NDArray[np.uint8]


def save_pictures(path: Path, pictures: Sequence[Picture]) -> None:
    """One row a picture, its PNG file in base 64."""
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["label", "image", "png"])
        for each in pictures:
            png = base64.b64encode(_png(each.grey)).decode()
            writer.writerow([each.label, each.image, png])


def read_pictures(path: Path) -> list[Picture]:
    """What :func:`save_pictures` wrote.

    Raises:
        DcrnetError: the file is damaged.
    """
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [Picture(row["label"], row["image"], _decoded(row["png"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, cv2.error) as error:
        raise DcrnetError(
            f"{path} holds no pictures ({error}): remove it, and start the study again"
        ) from error


def as_samples(pictures: Sequence[Picture], folder: Path, labels: tuple[str, ...]) -> list[Sample]:
    """Pictures as training takes them, in files of their own, which are made where they lack.

    Args:
        pictures: to write.
        folder: where, in a folder a label.
        labels: the data set's.
    """
    samples = []
    for each in pictures:
        path = folder / each.label / f"{each.image}.png"
        if not path.exists():
            with written_beside(path) as beside:
                beside.write_bytes(_png(each.grey))
        label = labels.index(each.label)
        samples.append(Sample(path, label, one_hot(label, len(labels))))
    return samples


def _png(grey: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", grey)[1].tobytes()


def _decoded(text: str) -> NDArray[np.uint8]:
    content = np.frombuffer(base64.b64decode(text), np.uint8)
    grey = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise ValueError("a picture is cut off")
    return np.asarray(grey, np.uint8)
