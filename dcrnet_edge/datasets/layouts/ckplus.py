"""CK+: posed expressions of 118 people, the last three frames of each labelled sequence.

Lucey et al., "The extended Cohn-Kanade dataset (CK+)" (CVPR workshops 2010).
"""

from __future__ import annotations

import re
from pathlib import Path

from dcrnet_edge.datasets.collection import (
    Collection,
    closest_expression,
    expression,
    is_resource_fork,
    layout_error,
)
from dcrnet_edge.datasets.registry import DatasetAdapter
from dcrnet_edge.datasets.sample import Sample, one_hot
from dcrnet_runtime.errors import DcrnetError

LABELS = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
PAPER_TEST = (34, 12, 29, 17, 38, 23, 43)
"""Test images of each label in the paper's table 1, 196 of 981."""
PAPER_TRAIN = (101, 42, 148, 58, 169, 61, 206)
"""The other 785."""

_NAME = re.compile(r"(S\d{3})_\d{3}_\d{8}\.png", re.IGNORECASE)
_CODES = {1: "anger", 2: "contempt", 3: "disgust", 4: "fear"}
_CODES |= {5: "happiness", 6: "sadness", 7: "surprise"}
_FRAMES = 3


def read_ckplus(root: Path) -> Collection:
    """The 48 x 48 version in a folder per expression, or the original trees.

    Args:
        root: folder with ``anger``, ``contempt``, ... (or with ``CK+48``), or one with
            ``cohn-kanade-images`` and ``Emotion``.

    Raises:
        DcrnetError: the folder has another layout, or a label cannot be read.
    """
    root = root / "CK+48" if (root / "CK+48").is_dir() else root
    if (root / "cohn-kanade-images").is_dir() and (root / "Emotion").is_dir():
        samples = _original(root)
    else:
        samples = _folders(root)
    if not samples:
        raise layout_error(
            root,
            "a folder per expression with S###_###_########.png in it, or cohn-kanade-images and"
            " Emotion (`dataset` ckplus)",
        )
    return Collection(
        "ckplus", LABELS, samples, [], paper_test=PAPER_TEST, paper_train=PAPER_TRAIN
    )


def _folders(root: Path) -> list[Sample]:
    samples = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        frames = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
        label = expression(folder.name)
        if frames and label not in LABELS:
            raise DcrnetError(
                f"{folder} is no expression of CK+{closest_expression(folder.name)} (expected"
                f" {', '.join(LABELS)})"
            )
        samples += [_sample(frame, str(label)) for frame in frames]
    return samples


def _original(root: Path) -> list[Sample]:
    samples = []
    for label_path in sorted((root / "Emotion").glob("S*/*/*_emotion.txt")):
        if is_resource_fork(label_path):
            continue
        code = _code(label_path)
        if code not in _CODES:  # 0 is neutral, which no sequence ends in
            continue
        session = label_path.parent
        folder = root / "cohn-kanade-images" / session.parent.name / session.name
        frames = sorted(path for path in folder.glob("*.png") if not is_resource_fork(path))
        samples += [_sample(frame, _CODES[code]) for frame in frames[-_FRAMES:]]
    return samples


def _code(label_path: Path) -> int:
    try:
        return int(float(label_path.read_text()))
    except (OSError, ValueError, OverflowError) as error:
        raise DcrnetError(
            f"{label_path} holds no emotion code; expected one such as 3.0000000e+00: restore the"
            " file"
        ) from error


def _sample(path: Path, name: str) -> Sample:
    label = LABELS.index(name)
    return Sample(path, label, one_hot(label, len(LABELS)), subject=path.name[:4].upper())


ADAPTER = DatasetAdapter(
    "ckplus",
    read_ckplus,
    license="Trained on CK+, which is licensed for non-commercial research alone.",
    preset="ckplus",
)
