"""What a model loses by each kind of corruption."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dcrnet_edge.data.corruptions import HELD_OUT, TRAINED, Corruption, SeededCorruption
from dcrnet_edge.evaluation.bootstrap import Interval
from dcrnet_edge.evaluation.comparison import compare
from dcrnet_edge.evaluation.model_refs import Images, ModelRef
from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_runtime.errors import DcrnetError

SEED = 0
"""Of the corruptions that models are judged by."""


class KindGroup(StrEnum):
    """Several kinds under one name."""

    ALL = "all"
    TRAINED = "trained"
    HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class Loss:
    """One model on pictures of one kind.

    Attributes:
        accuracy: on the corrupted pictures.
        difference: that less the accuracy on the clean ones; a fraction, below 0 where the
            model loses.
        interval: 95 % percentile interval of the difference, paired bootstrap over subjects
            where they are known, else over images.
        is_trained: whether training may show the kind.
        box_only_share: share of the pictures in which no landmarks were found.
    """

    accuracy: float
    difference: float
    interval: Interval
    is_trained: bool
    box_only_share: float


def kinds_of(names: Iterable[str]) -> list[Corruption]:
    """The kinds called so, each once, those that are trained on first.

    Args:
        names: of kinds, or of their groups, see :class:`KindGroup`.

    Raises:
        DcrnetError: there is no such kind.
    """
    groups: Mapping[str, Sequence[Corruption]] = {
        **{kind.value: [kind] for kind in Corruption},
        KindGroup.ALL.value: [*Corruption],
        KindGroup.TRAINED.value: TRAINED,
        KindGroup.HELD_OUT.value: HELD_OUT,
    }
    chosen = set()
    for name in names:
        if name not in groups:
            raise DcrnetError(
                f"`corrupt` {name} is unknown: choose {', '.join([*KindGroup, *Corruption])}"
            )
        chosen |= {*groups[name]}
    return [kind for kind in (*TRAINED, *HELD_OUT) if kind in chosen]


def corrupted_images(images: Images, kind: Corruption) -> Images:
    """The same images with a corruption, which faces are then found on."""
    return replace(images, data=images.data.altered(SeededCorruption(kind, SEED)))


def loss(clean: Predictions, corrupted: Predictions, kind: Corruption) -> Loss:
    """What a model loses.

    Raises:
        DcrnetError: they are answers about different images.
    """
    comparison = compare(corrupted, clean)
    return Loss(
        float(corrupted.correct.mean()),
        comparison.difference,
        comparison.interval,
        kind in TRAINED,
        float(1 - corrupted.aligned.mean()),
    )


def answers(ref: ModelRef, images: Images | None, kind: Corruption) -> Predictions:
    """A model's predictions on pictures of one kind.

    Raises:
        DcrnetError: it is a file of predictions, or its images are not named.
    """
    if ref.has_answers or images is None:
        raise DcrnetError(
            f"{ref.path} cannot be asked about corrupted pictures: `corrupt` needs a model, and"
            " images that `data` names"
        )
    return ref.answers(corrupted_images(images, kind))
