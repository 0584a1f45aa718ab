"""KDEF: 70 people, seven expressions, five angles, two sessions (Lundqvist et al., 1998)."""

from __future__ import annotations

import re
from pathlib import Path

from dcrnet_edge.datasets.collection import Collection, layout_error
from dcrnet_edge.datasets.registry import DatasetAdapter
from dcrnet_edge.datasets.sample import EXPRESSIONS, Sample, one_hot

PAPER_ANGLES = ("S", "HL", "HR")
"""A guess: 70 people's seven expressions in two sessions from these are 2,940 images, and table 1
has 2,938; all five angles would be 4,900."""
PAPER_TEST = (42, 50, 35, 53, 41, 37, 36)
"""Test images of each label in the paper's table 1, 294 of 2,938."""
PAPER_TRAIN = (378, 370, 385, 367, 379, 382, 383)
"""The other 2,644."""

_NAME = re.compile(
    r"(?P<session>[AB])(?P<person>[FM]\d{2})(?P<expression>AF|AN|DI|HA|NE|SA|SU)"
    r"(?P<angle>S|HL|HR|FL|FR)\.jpe?g",
    re.IGNORECASE,
)
_SEXES = {"F": "female", "M": "male"}
_VIEWS = {
    **{"FL": "full left", "HL": "half left", "S": "straight"},
    **{"HR": "half right", "FR": "full right"},
}
_CODES = {
    **{"AF": "fear", "AN": "anger", "DI": "disgust", "HA": "happiness"},
    **{"NE": "neutral", "SA": "sadness", "SU": "surprise"},
}


def read_kdef(root: Path) -> Collection:
    """All sessions and angles, flat or in a folder per person.

    The subject is sex and number, so that both sessions of a person stay together. The paper's
    split is of the frontal and the half profiles.

    Args:
        root: folder with files such as ``AF01ANS.JPG``: session A or B, sex and number,
            expression, angle.

    Raises:
        DcrnetError: no file has such a name.
    """
    samples: list[Sample] = []
    paper: list[int] = []
    for path in sorted(root.rglob("*")):
        if match := _NAME.fullmatch(path.name):
            label = EXPRESSIONS.index(_CODES[match["expression"].upper()])
            target = one_hot(label, len(EXPRESSIONS))
            if match["angle"].upper() in PAPER_ANGLES:
                paper.append(len(samples))
            person = match["person"].upper()
            groups = (("sex", _SEXES[person[0]]),)
            view = _VIEWS[match["angle"].upper()]
            samples.append(Sample(path, label, target, subject=person, groups=groups, view=view))
    if not samples:
        raise layout_error(
            root,
            "files such as AF01ANS.JPG (session, sex and number, expression, angle), flat or in"
            " a folder per person (`dataset` kdef)",
        )
    return Collection(
        "kdef",
        EXPRESSIONS,
        samples,
        [],
        paper_test=PAPER_TEST,
        paper_train=PAPER_TRAIN,
        paper_images=tuple(paper),
    )


ADAPTER = DatasetAdapter(
    "kdef",
    read_kdef,
    license="Trained on KDEF, which is free for non-commercial research alone.",
    preset="kdef",
)
