"""FERPlus: FER2013's 48 x 48 grey faces with ten annotators' votes each.

Barsoum et al., "Training deep networks for facial expression recognition with crowd-sourced label
distribution" (ICMI 2016).
"""

from __future__ import annotations

import csv
from pathlib import Path

from dcrnet_edge.datasets.collection import Collection, layout_error
from dcrnet_edge.datasets.layouts.fer2013 import PIXELS_FILES, pixel_rows, pixels_file, split_of
from dcrnet_edge.datasets.registry import DatasetAdapter
from dcrnet_edge.datasets.sample import EXPRESSIONS, UNLABELLED, Sample
from dcrnet_runtime.errors import DcrnetError

VOTES_FILE = "fer2013new.csv"
_FOLDERS = {
    "Training": "FER2013Train",
    "PublicTest": "FER2013Valid",
    "PrivateTest": "FER2013Test",
}
_COLUMNS = (
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"),
    *("contempt", "unknown", "NF"),
)
_NO_VOTES = (0.0,) * len(EXPRESSIONS)


def read_ferplus(root: Path) -> Collection:
    """The images whose most-voted label is unique and one of the seven expressions.

    Targets are the votes for the seven, those of a single annotator left out as FERPlus does.
    The other images stay in the collection without a label.

    Args:
        root: folder with ``fer2013new.csv``, and either ``FER2013Train``, ``-Valid`` and
            ``-Test``, or those of them that are needed, or Kaggle's ``fer2013.csv``.

    Raises:
        DcrnetError: the folder has another layout.
    """
    votes_path = root / VOTES_FILE
    folders = {usage: root / name for usage, name in _FOLDERS.items() if (root / name).is_dir()}
    pixels_path = None if folders else pixels_file(root)
    if not votes_path.is_file() or not (folders or pixels_path):
        raise layout_error(
            root,
            f"{VOTES_FILE} and either FER2013Train, FER2013Valid and FER2013Test or"
            f" {' or '.join(PIXELS_FILES)} (`dataset` ferplus)",
        )
    votes = _rows(votes_path)
    images = [] if pixels_path is None else _offsets(pixels_path, votes)
    collection = Collection("ferplus", EXPRESSIONS, [], [])
    # Four names are listed twice with other votes: the later ones count.
    named = {row["Image name"]: (i, row) for i, row in enumerate(votes) if row.get("Image name")}
    for index, row in named.values():
        split = split_of(row.get("Usage"), votes_path)
        label, target = _vote(row, votes_path)
        if pixels_path is not None:
            sample = Sample(pixels_path, label, target, row_offset=images[index])
        elif row["Usage"] in folders:
            sample = Sample(folders[row["Usage"]] / row["Image name"], label, target)
        else:  # that part of the data set was not unpacked
            continue
        collection.samples.append(sample)
        collection.official.append(split)
    return collection


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DcrnetError(f"{path} is no CSV file ({error}): restore it") from error


def _offsets(path: Path, votes: list[dict[str, str]]) -> list[int]:
    """Offsets of the rows of pixels, one a row of votes."""
    rows = list(pixel_rows(path))
    usages = [usage for _, _, usage in rows]
    if usages != [row.get("Usage") for row in votes]:
        raise DcrnetError(
            f"the {len(usages)} rows of {path} are not those of {VOTES_FILE} ({len(votes)}): use"
            " the two files in their original order"
        )
    return [offset for offset, _, _ in rows]


def _vote(row: dict[str, str], votes_path: Path) -> tuple[int, tuple[float, ...]]:
    try:
        votes = {name: int(row[name]) for name in _COLUMNS}
    except (KeyError, ValueError, TypeError) as error:
        raise DcrnetError(
            f"{votes_path}: the row of {row['Image name']} lacks a whole number of votes for"
            f" {', '.join(_COLUMNS)}"
        ) from error
    most = max(votes.values())
    winners = [name for name, count in votes.items() if count == most]
    counted = [votes[name] if votes[name] > 1 else 0 for name in EXPRESSIONS]
    total = sum(counted)
    if len(winners) != 1 or winners[0] not in EXPRESSIONS or total == 0:
        return UNLABELLED, _NO_VOTES
    return EXPRESSIONS.index(winners[0]), tuple(count / total for count in counted)


ADAPTER = DatasetAdapter(
    "ferplus",
    read_ferplus,
    license=(
        "Trained on FER2013 images with FERPlus labels. The labels are MIT-licensed (Microsoft);"
        " the images come from the FER2013 contest and carry no clear licence, so these weights"
        " are for research use."
    ),
    preset="ferplus",
)
