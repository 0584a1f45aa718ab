"""Models' answers as units of a study, on pictures as they are and corrupted."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dcrnet_edge.data.crop_cache import CropCache
from dcrnet_edge.evaluation.model_refs import Images, ModelRef
from dcrnet_edge.evaluation.predictions import Predictions, read_predictions, save_predictions
from dcrnet_edge.studies.pictures.families import Family
from dcrnet_edge.studies.pictures.severities import corrupted
from dcrnet_edge.studies.study import Unit

CLEAN = "clean"
_JOINT = "--"


@dataclass(frozen=True, slots=True)
class Condition:
    """How pictures are shown.

    Attributes:
        family: of the corruption; None leaves them as they are.
        severity: 1 to 5; 0 for clean ones.
    """

    family: Family | None = None
    severity: int = 0

    @property
    def name(self) -> str:
        """Such as ``clean`` and ``blur-3``."""
        return CLEAN if self.family is None else f"{self.family}-{self.severity}"


def conditions(families: Sequence[Family], severities: Sequence[int]) -> list[Condition]:
    """Clean pictures, then every grade of every family."""
    return [Condition(), *(Condition(f, severity) for f in families for severity in severities)]


def answering_units(
    refs: Mapping[str, ModelRef], images: Images, shown: Sequence[Condition]
) -> list[Unit]:
    """One unit a condition and model, condition by condition, since models share its faces."""
    return [
        Unit(unit_name(model, each), functools.partial(_answer, ref, images, each))
        for each in shown
        for model, ref in refs.items()
    ]


def unit_name(model: str, condition: Condition) -> str:
    """Of the file with a model's answers."""
    return f"{model}{_JOINT}{condition.name}"


def answers_of(paths: Mapping[str, Path], model: str) -> dict[str, Predictions]:
    """One model's answers by condition, as :func:`answering_units` named them."""
    start = f"{model}{_JOINT}"
    return {
        name.removeprefix(start): read_predictions(path)
        for name, path in paths.items()
        if name.startswith(start)
    }


def _answer(ref: ModelRef, images: Images, condition: Condition, path: Path) -> None:
    if condition.family is None:
        save_predictions(path, ref.answers(images))
        return
    samples = corrupted(
        images.data.samples(images.split),
        images.data.faces(images.split),
        condition.family,
        condition.severity,
    )
    # Corrupted crops are asked for once a model: kept, they would fill the disk for nothing.
    with tempfile.TemporaryDirectory(prefix="dcrnet-study-") as folder:
        data = images.data.with_split(images.split, samples, CropCache(Path(folder)))
        save_predictions(path, ref.answers(replace(images, data=data)))
