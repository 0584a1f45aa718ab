"""Anyone's own images, in a folder per expression."""

from __future__ import annotations

from pathlib import Path

from dcrnet_edge.datasets.collection import (
    Collection,
    closest_expression,
    expression,
    layout_error,
)
from dcrnet_edge.datasets.registry import DatasetAdapter
from dcrnet_edge.datasets.sample import Sample, Split, one_hot
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import IMAGE_SUFFIXES

_SPLITS = {
    **{"train": Split.TRAIN, "training": Split.TRAIN},
    **{"valid": Split.VALID, "val": Split.VALID, "validation": Split.VALID},
    **{"test": Split.TEST, "testing": Split.TEST},
}


def read_folders(root: Path) -> Collection:
    """A folder per expression, or those inside ``train``, ``valid`` and ``test``.

    Usual names count alike, ``Happy`` as ``happiness``; the labels are the expressions found.

    Args:
        root: the folder around them.

    Raises:
        DcrnetError: a folder with images is no expression, an expression has no image, or there
            is none at all.
    """
    folders = sorted(path for path in root.iterdir() if _is_shown(path))
    levels = [
        (path, _SPLITS[path.name.lower()]) for path in folders if path.name.lower() in _SPLITS
    ]
    found: list[tuple[Path, str, Split | None]] = []
    empty: dict[str, Path] = {}
    places: list[tuple[Path, Split | None]] = [*levels] or [(root, None)]
    for level, split in places:
        for folder in sorted(path for path in level.iterdir() if _is_shown(path)):
            images = _images(folder)
            found += [(path, _expression_of(folder), split) for path in images]
            if not images and (name := expression(folder.name)):
                empty[name] = folder
    labels = tuple(sorted({name for _, name, _ in found}))
    if len(labels) < 2:
        raise layout_error(
            root,
            "a folder with images for each of two or more expressions, or such folders inside"
            " train, valid and test (`dataset` folders)",
        )
    if missing := sorted(empty.keys() - set(labels)):
        raise DcrnetError(
            f"folder {empty[missing[0]]} holds no image, so {missing[0]} cannot be learned: add"
            " images, or remove the folder to do without"
        )
    samples = [
        Sample(path, labels.index(name), one_hot(labels.index(name), len(labels)))
        for path, name, _ in found
    ]
    return Collection("folders", labels, samples, [split for _, _, split in found if split])


def _is_shown(path: Path) -> bool:
    """Whether it is a folder of people's, rather than one that a system put there."""
    return path.is_dir() and not path.name.startswith((".", "__MACOSX"))


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def _expression_of(folder: Path) -> str:
    name = expression(folder.name)
    if name is None:
        raise DcrnetError(
            f"folder {folder} is named after no expression{closest_expression(folder.name)}:"
            " rename it, or move its images away"
        )
    return name


ADAPTER = DatasetAdapter(
    "folders",
    read_folders,
    license="Trained on images whose terms only their owner knows.",
    preset="ferplus",
)
