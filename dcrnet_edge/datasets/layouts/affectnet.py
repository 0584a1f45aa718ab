"""AffectNet-7: faces from the internet (Mollahosseini et al., 2017), without contempt."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dcrnet_edge.datasets.collection import (
    Collection,
    is_resource_fork,
    layout_error,
    listed,
)
from dcrnet_edge.datasets.registry import DatasetAdapter
from dcrnet_edge.datasets.sample import EXPRESSIONS, Sample, Split, one_hot
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import IMAGE_SUFFIXES

_CODES = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
_OTHER_CODES = range(7, 11)  # contempt, none, uncertain, no face
_SETS = {"train_set": Split.TRAIN, "val_set": Split.TEST}
_TABLES = {"training.csv": Split.TRAIN, "validation.csv": Split.TEST}
_TABLE_FOLDERS = ("", "Manually_Annotated_file_lists")
_IMAGE_FOLDERS = (
    *("", "Manually_Annotated_Images", "Manually_Annotated", "images"),
    "Manually_Annotated/Manually_Annotated_Images",
)
_CLASS_FOLDERS = {
    **{"train": Split.TRAIN, "train_set": Split.TRAIN, "train_class": Split.TRAIN},
    **{"val": Split.VALID, "val_set": Split.VALID, "val_class": Split.VALID},
    **{"valid": Split.VALID, "validation": Split.VALID, "test": Split.TEST},
}
_CLASS = re.compile(r"(?:class)?0*(\d{1,2})")
_BOX_COLUMNS = ("face_x", "face_y", "face_width", "face_height")
_COLUMNS = ("subDirectory_filePath", *_BOX_COLUMNS, "expression")
_PLACES: tuple[int, ...] = (0, 1, 2, 3, 4, 6)  # of the columns where a table has no header

_PixelBox = tuple[int, int, int, int]
_Item = tuple[Path, int, Split, _PixelBox | None]


def read_affectnet(root: Path) -> Collection:
    """The seven expressions; AffectNet's validation set is Test, as in the paper.

    Args:
        root: folder with ``train_set`` and ``val_set``, each with ``images/N.jpg`` and
            ``annotations/N_exp.npy``; or with the older ``training.csv`` and
            ``validation.csv``, also in ``Manually_Annotated_file_lists``, beside the image
            folders; their images show more than the face, which is cut out by the table's box;
            or with ``train`` and ``val``, each with a folder for each class, named by its number.
            The validation set alone is enough to evaluate.

    Raises:
        DcrnetError: the folder has another layout, or a label cannot be read.
    """
    if any((root / name / "annotations").is_dir() for name in _SETS):
        found = [item for name, split in _SETS.items() for item in _annotated(root / name, split)]
    elif tables := _table_folder(root):
        found = [
            item
            for name, split in _TABLES.items()
            if (tables / name).is_file()
            for item in _listed(tables / name, root, split)
        ]
    else:
        found = list(_by_class(root))
    if not found:
        raise layout_error(
            root,
            "train_set and val_set with images and annotations/*_exp.npy in each, or"
            " training.csv and validation.csv, there or in Manually_Annotated_file_lists, or"
            " train/0..7 and val/0..7 (`dataset` affectnet)",
        )
    collection = Collection("affectnet", EXPRESSIONS, [], [], paper_is_official=True)
    for path, code, split, box in found:
        if code in _OTHER_CODES:
            continue
        if not 0 <= code < len(_CODES):
            raise DcrnetError(f"{path} has expression {code}; expected 0 to {_OTHER_CODES[-1]}")
        label = EXPRESSIONS.index(_CODES[code])
        target = one_hot(label, len(EXPRESSIONS))
        collection.samples.append(Sample(path, label, target, box=box))
        collection.official.append(split)
    return collection


def _annotated(folder: Path, split: Split) -> Iterator[_Item]:
    for path in sorted((folder / "annotations").glob("*_exp.npy")):
        if is_resource_fork(path):
            continue
        try:
            code = int(np.load(path, allow_pickle=False).item())
        except (OSError, EOFError, ValueError) as error:
            raise DcrnetError(f"{path} holds no expression code: restore the file") from error
        image = folder / "images" / f"{path.name.removesuffix('_exp.npy')}.jpg"
        yield image, code, split, None


def _by_class(root: Path) -> Iterator[_Item]:
    """Images in folders that are named by the number of an expression."""
    levels = {p: _CLASS_FOLDERS.get(p.name.lower()) for p in sorted(root.iterdir()) if p.is_dir()}
    has_test = Split.TEST in levels.values()  # else the validation set is Test
    for level, part in levels.items():
        if part is None:
            continue
        split = part if has_test or part is Split.TRAIN else Split.TEST
        for folder in sorted(path for path in level.iterdir() if path.is_dir()):
            if match := _CLASS.fullmatch(folder.name.lower()):
                for path in sorted(folder.rglob("*")):
                    if path.suffix.lower() in IMAGE_SUFFIXES:
                        yield path, int(match[1]), split, None


def _table_folder(root: Path) -> Path | None:
    folders = (root / name for name in _TABLE_FOLDERS)
    return next((f for f in folders if any((f / name).is_file() for name in _TABLES)), None)


def _listed(table: Path, root: Path, split: Split) -> Iterator[_Item]:
    rows = _rows(table)
    folder = _image_folder(table, root, [name for name, _, _ in rows])
    return ((folder / name, code, split, box) for name, code, box in rows)


def _rows(table: Path) -> list[tuple[str, int, _PixelBox | None]]:
    """Path, expression code and face box of each row."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DcrnetError(f"{table} is no CSV file ({error}): restore it") from error
    places = _PLACES
    if rows and _COLUMNS[0] in rows[0]:
        missing = [name for name in _COLUMNS if name not in rows[0]]
        if missing:
            raise DcrnetError(
                f"{table} has no column {', '.join(missing)}: use AffectNet's own file"
            )
        places = tuple(rows[0].index(name) for name in _COLUMNS)
        rows = rows[1:]
    name_at, *box_at, code_at = places
    items = []
    for row in rows:
        try:
            name, code = row[name_at], int(row[code_at])
            box = None if code in _OTHER_CODES else _box([row[place] for place in box_at])
        except (IndexError, ValueError) as error:
            raise DcrnetError(
                f"{table} has a row without a path and an expression code: {','.join(row)[:60]!r}"
            ) from error
        items.append((name, code, box))
    return items


def _box(cells: list[str]) -> _PixelBox:
    """An unreadable one is empty, and costs that image alone."""
    try:
        x, y, width, height = (int(float(cell)) for cell in cells)
    except (OverflowError, ValueError):
        return 0, 0, 0, 0
    return x, y, width, height


def _image_folder(table: Path, root: Path, names: list[str]) -> Path:
    """Where the images of a table lie; single ones may be missing."""
    folders = [root / name for name in _IMAGE_FOLDERS]
    for name in names:
        for folder in folders:
            if (folder / name).is_file():
                return folder
    places = ", ".join(str(folder) for folder in folders)
    raise DcrnetError(
        f"none of the {len(names)} images that {table} names ({listed(names)}) lies in {places}:"
        " unpack the image archives there"
    )


ADAPTER = DatasetAdapter(
    "affectnet",
    read_affectnet,
    license="Trained on AffectNet, which is licensed for academic research alone.",
    preset="affectnet",
)
