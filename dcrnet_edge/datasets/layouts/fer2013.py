"""FER2013: 48 x 48 grey faces with one label each (Goodfellow et al., 2013)."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from dcrnet_edge.datasets.collection import Collection, layout_error
from dcrnet_edge.datasets.registry import DatasetAdapter
from dcrnet_edge.datasets.sample import EXPRESSIONS, Sample, Split, one_hot
from dcrnet_runtime.errors import DcrnetError

PIXELS_FILES = ("fer2013.csv", "icml_face_data.csv")
"""Names that Kaggle gives the file: of the data set, and of the contest."""

_COLUMNS = ("emotion", "pixels", "Usage")
_SPLITS = {"Training": Split.TRAIN, "PublicTest": Split.VALID, "PrivateTest": Split.TEST}
_CODES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def read_fer2013(root: Path) -> Collection:
    """Kaggle's ``fer2013.csv`` or ``icml_face_data.csv`` with its own single labels.

    Raises:
        DcrnetError: the folder has another layout.
    """
    path = pixels_file(root)
    if path is None:
        raise layout_error(root, f"{' or '.join(PIXELS_FILES)} (`dataset` fer2013)")
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


def pixels_file(root: Path) -> Path | None:
    """Kaggle's CSV of pixels in a folder; None where there is none."""
    return next((root / name for name in PIXELS_FILES if (root / name).is_file()), None)


def pixel_rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Offset, emotion and usage of each row of a CSV of pixels.

    Raises:
        DcrnetError: it has other columns.
    """
    with path.open("rb") as file:
        header = file.readline().removeprefix(codecs.BOM_UTF8)
        names = _cells(header)
        if sorted(names) != sorted(_COLUMNS):
            raise DcrnetError(
                f"{path} begins with {','.join(names)[:40]!r}; expected the columns"
                f" {','.join(_COLUMNS)}"
            )
        emotion_at, usage_at = names.index("emotion"), names.index("Usage")
        offset = file.tell()
        while line := file.readline():
            if line.strip():
                cells = _cells(line)
                cells += [""] * (len(names) - len(cells))
                yield offset, cells[emotion_at], cells[usage_at]
            offset = file.tell()


def _cells(line: bytes) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in line.decode(errors="replace").split(",")]


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
