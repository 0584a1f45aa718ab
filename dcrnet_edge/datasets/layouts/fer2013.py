"""FER2013: 48 x 48 grey faces with one label each (Goodfellow et al., 2013)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dcrnet_edge.datasets.collection import Collection, layout_error
from dcrnet_edge.datasets.registry import DatasetAdapter
from dcrnet_edge.datasets.sample import EXPRESSIONS, Sample, Split, one_hot
from dcrnet_runtime.errors import DcrnetError

PIXELS_FILE = "fer2013.csv"
_SPLITS = {"Training": Split.TRAIN, "PublicTest": Split.VALID, "PrivateTest": Split.TEST}
_CODES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def read_fer2013(root: Path) -> Collection:
    """Kaggle's ``fer2013.csv`` with its own single labels.

    Raises:
        DcrnetError: the folder has another layout.
    """
    path = root / PIXELS_FILE
    if not path.is_file():
        raise layout_error(root, f"{PIXELS_FILE} (`dataset` fer2013)")
    collection = Collection("fer2013", EXPRESSIONS, [], [])
    for offset, emotion, usage in pixel_rows(path):
        if not emotion.isdecimal() or int(emotion) >= len(_CODES):
            raise DcrnetError(
                f"{path} has a row whose emotion is {emotion!r}; expected 0 to {len(_CODES) - 1}"
            )
        label = EXPRESSIONS.index(_CODES[int(emotion)])
        target = one_hot(label, len(EXPRESSIONS))
        collection.samples.append(Sample(path, label, target, row_offset=offset))
        collection.official.append(split_of(usage, path))
    return collection


def pixel_rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Offset, emotion and usage of each row of a CSV of pixels."""
    with path.open("rb") as file:
        header = file.readline().decode(errors="replace").strip().replace('"', "")
        if header.split(",") != ["emotion", "pixels", "Usage"]:
            raise DcrnetError(
                f"{path} begins with {header[:40]!r}; expected the columns emotion,pixels,Usage"
            )
        offset = file.tell()
        while line := file.readline():
            if line.strip():
                first, *_, last = line.decode(errors="replace").strip().split(",")
                yield offset, first.strip('"'), last.strip('"')
            offset = file.tell()


def split_of(usage: str | None, path: Path) -> Split:
    """The split that the column Usage of ``path`` names."""
    try:
        return _SPLITS[usage or ""]
    except KeyError as error:
        raise DcrnetError(
            f"{path} has a row whose Usage is {usage!r}; expected {', '.join(_SPLITS)}"
        ) from error


ADAPTER = DatasetAdapter(
    "fer2013",
    read_fer2013,
    license=(
        "Trained on FER2013, whose images carry no clear licence: these weights are for research"
        " use."
    ),
    preset="ferplus",
)
