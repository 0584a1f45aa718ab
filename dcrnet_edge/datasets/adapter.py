"""The adapters by name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from dcrnet_edge.datasets.ferplus import read_ferplus
from dcrnet_edge.datasets.sample import FaceDataset
from dcrnet_runtime.errors import DcrnetError


class DatasetKind(StrEnum):
    """Layouts that can be read."""

    FERPLUS = "ferplus"


_TERMS = {
    DatasetKind.FERPLUS: (
        "Trained on FER2013 images with FERPlus labels. The labels are MIT-licensed"
        " (Microsoft); the images come from the FER2013 contest and carry no clear licence, so"
        " these weights are for research use."
    ),
}


def read_dataset(kind: DatasetKind, root: Path) -> FaceDataset:
    """Read the data set at ``root``.

    Raises:
        DcrnetError: the folder is missing or has another layout.
    """
    if not root.is_dir():
        raise DcrnetError(f"data set folder {root} does not exist: unpack the data set there")
    match kind:
        case DatasetKind.FERPLUS:
            return read_ferplus(root)


def terms_of(kind: DatasetKind) -> str:
    """On which terms a model trained on ``kind`` can be used."""
    return _TERMS[kind]
