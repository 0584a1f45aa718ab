"""FERPlus: FER2013's images with ten annotators' votes each (Barsoum et al., ICMI 2016)."""

from __future__ import annotations

import csv
from pathlib import Path

from dcrnet_edge.datasets.sample import EXPRESSIONS, FaceDataset, Sample, Split, without_repeats
from dcrnet_runtime.errors import DcrnetError

VOTES_FILE = "fer2013new.csv"
_FOLDERS = {
    "Training": (Split.TRAIN, "FER2013Train"),
    "PublicTest": (Split.VALID, "FER2013Valid"),
    "PrivateTest": (Split.TEST, "FER2013Test"),
}
_COLUMNS = (
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"),
    *("contempt", "unknown", "NF"),
)


def read_ferplus(root: Path) -> FaceDataset:
    """The images whose most-voted label is unique and one of the seven expressions.

    Repeated images are dropped before that, whatever their votes. Targets are the votes for
    the seven, those of a single annotator left out as FERPlus does.

    Args:
        root: folder with ``fer2013new.csv`` and ``FER2013Train``, ``-Valid``, ``-Test``.

    Raises:
        DcrnetError: the folder has another layout.
    """
    votes_path = root / VOTES_FILE
    if not votes_path.is_file():
        raise DcrnetError(
            f"{root} has no {VOTES_FILE}: --dataset ferplus expects a folder with"
            f" {VOTES_FILE}, FER2013Train, FER2013Valid and FER2013Test (unpack a zip first)"
        )
    rows: dict[Split, dict[Path, dict[str, str]]] = {split: {} for split in Split}
    with votes_path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row.get("Image name"):
                split, folder = _folder(row, votes_path)
                rows[split][root / folder / row["Image name"]] = row
    paths, repeats = without_repeats({split: list(found) for split, found in rows.items()})
    splits = {}
    for split in Split:
        samples = (_sample(path, rows[split][path], votes_path) for path in paths[split])
        splits[split] = [sample for sample in samples if sample is not None]
        if not splits[split]:
            raise DcrnetError(f"{votes_path} has no usable row for {split}: is the file whole?")
    return FaceDataset("ferplus", EXPRESSIONS, splits, repeats)


def _folder(row: dict[str, str], votes_path: Path) -> tuple[Split, str]:
    try:
        return _FOLDERS[row["Usage"]]
    except KeyError as error:
        raise DcrnetError(
            f"{votes_path} has a row whose Usage is {row.get('Usage')!r}; expected"
            f" {', '.join(_FOLDERS)}"
        ) from error


def _sample(path: Path, row: dict[str, str], votes_path: Path) -> Sample | None:
    try:
        votes = {name: int(row[name]) for name in _COLUMNS}
    except (KeyError, ValueError) as error:
        raise DcrnetError(
            f"{votes_path}: the row of {path.name} lacks a whole number of votes for"
            f" {', '.join(_COLUMNS)}"
        ) from error
    most = max(votes.values())
    winners = [name for name, count in votes.items() if count == most]
    if len(winners) != 1 or winners[0] not in EXPRESSIONS:
        return None
    counted = [votes[name] if votes[name] > 1 else 0 for name in EXPRESSIONS]
    total = sum(counted)
    if total == 0:
        return None
    return Sample(path, EXPRESSIONS.index(winners[0]), tuple(count / total for count in counted))
