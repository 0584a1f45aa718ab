"""Who is trained, validated and tested on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dcrnet_edge.datasets.collection import Collection
from dcrnet_edge.datasets.sample import UNLABELLED, Sample, Split, class_counts
from dcrnet_runtime.errors import DcrnetError

_SPARE = 0.005
"""Images beyond table 1's, in proportion, that are left out: KDEF has two more than it says."""

Parts = dict[Split, list[int]]
"""Indices into a collection's samples."""


class SplitKind(StrEnum):
    """How Test is chosen.

    ``official`` is the data set's own; ``paper`` the paper's (table 1): AffectNet's own, random
    images of CK+ and KDEF; ``subject`` folds in which nobody is on both sides; ``random`` folds
    of single images, for data sets without known subjects.
    """

    OFFICIAL = "official"
    PAPER = "paper"
    SUBJECT = "subject"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """How a data set is to be split.

    Attributes:
        kind: by default official where there is such a split, else subject where subjects are
            known, else random.
        fold: which fold is Test.
        folds: how many there are.
        seed: of every random choice.
        validation: share of Train that becomes Valid where the data set has none: by subject
            where subjects are known, else by class.
    """

    kind: SplitKind | None = None
    fold: int = 0
    folds: int = 10
    seed: int = 0
    validation: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.fold < self.folds:
            raise DcrnetError(f"fold {self.fold} does not exist: give 0 to {self.folds - 1}")
        if not 0 < self.validation < 1:
            raise DcrnetError(
                f"split.validation is {self.validation}: give a share between 0 and 1"
            )


def divide(collection: Collection, plan: SplitPlan) -> tuple[Parts, str]:
    """The three parts of a collection, and how they were made.

    Raises:
        DcrnetError: the collection has no such split.
    """
    kind = plan.kind or _default(collection)
    match kind:
        case SplitKind.OFFICIAL:
            parts, protocol = _official(collection), "official"
        case SplitKind.PAPER if collection.paper_is_official:
            parts, protocol = _official(collection), "paper: official"
        case SplitKind.PAPER:
            parts = _paper(collection, plan.seed)
            protocol = (
                f"paper: random {len(parts[Split.TRAIN])}/{len(parts[Split.TEST])}, seed"
                f" {plan.seed}"
            )
        case SplitKind.SUBJECT | SplitKind.RANDOM:
            parts = _fold(collection, plan, by_subject=kind is SplitKind.SUBJECT)
            name = "subject-independent" if kind is SplitKind.SUBJECT else "random"
            protocol = f"{name} fold {plan.fold} of {plan.folds}, seed {plan.seed}"
    if not parts[Split.VALID] and parts[Split.TRAIN]:
        _carve_validation(collection.samples, parts, plan)
        protocol += f"; {plan.validation:.0%} of Train for validation"
    return parts, protocol


def _default(collection: Collection) -> SplitKind:
    if collection.official:
        return SplitKind.OFFICIAL
    has_subjects = any(sample.subject for sample in collection.samples)
    return SplitKind.SUBJECT if has_subjects else SplitKind.RANDOM


def _official(collection: Collection) -> Parts:
    if not collection.official:
        raise DcrnetError(
            f"{collection.name} has no official split: choose `protocol` subject, random or paper"
        )
    parts: Parts = {split: [] for split in Split}
    for index, split in enumerate(collection.official):
        parts[split].append(index)
    return parts


def _paper(collection: Collection, seed: int) -> Parts:
    if not collection.paper_test:
        raise DcrnetError(
            f"the paper states no split of {collection.name}: choose another `protocol`"
        )
    rng = np.random.default_rng(seed)
    parts: Parts = {split: [] for split in Split}
    images = np.array(collection.paper_images or range(len(collection.samples)))
    labels = np.array([collection.samples[index].label for index in images])
    counts = zip(collection.paper_test, collection.paper_train, strict=True)
    for label, (count, train_count) in enumerate(counts):
        chosen = rng.permutation(images[labels == label])
        wanted = train_count + count
        if not wanted <= len(chosen) <= (1 + _SPARE) * wanted:
            raise DcrnetError(
                f"the paper trains on {train_count} and tests on {count} images of"
                f" {collection.labels[label]}, and this {collection.name} has {len(chosen)}, not"
                f" {wanted}: use the version the paper used, or another `protocol`"
            )
        parts[Split.TEST] += map(int, chosen[:count])
        parts[Split.TRAIN] += map(int, chosen[count:wanted])
    return {split: sorted(part) for split, part in parts.items()}


def _fold(collection: Collection, plan: SplitPlan, *, by_subject: bool) -> Parts:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kept = [i for i, sample in enumerate(collection.samples) if sample.label != UNLABELLED]
    labels = [collection.samples[i].label for i in kept]
    groups = [collection.samples[i].subject for i in kept]
    if by_subject and not all(groups):
        raise DcrnetError(
            f"it is not known who is on the images of {collection.name}, so there is no"
            " subject-independent split: choose another `protocol`"
        )
    most = len(set(groups)) if by_subject else len(kept)
    if plan.folds < 2 or plan.folds > most:
        raise DcrnetError(f"{plan.folds} folds of {most} are not possible: give other `folds`")
    folder = StratifiedGroupKFold if by_subject else StratifiedKFold
    with warnings.catch_warnings():  # a class with fewer images than folds is no fault here
        warnings.simplefilter("ignore", UserWarning)
        folds = folder(plan.folds, shuffle=True, random_state=plan.seed)
        try:
            train, test = list(folds.split(kept, labels, groups))[plan.fold]
        except ValueError as error:
            raise DcrnetError(
                f"{plan.folds} folds of {collection.name} are not possible ({error}): give fewer"
                " `folds`"
            ) from error
    return {
        Split.TRAIN: [kept[i] for i in train],
        Split.VALID: [],
        Split.TEST: [kept[i] for i in test],
    }


def _carve_validation(samples: Sequence[Sample], parts: Parts, plan: SplitPlan) -> None:
    """Move a share of Train to Valid, whole subjects where they are known."""
    rng = np.random.default_rng((plan.seed, plan.fold))
    train = parts[Split.TRAIN]
    subjects = sorted({samples[i].subject for i in train})
    chosen: set[int] = set()
    if subjects != [""] and len(subjects) > 1:
        wanted = plan.validation * len(train)
        for subject in rng.permutation(subjects)[:-1]:
            chosen |= {i for i in train if samples[i].subject == subject}
            if len(chosen) >= wanted:
                break
    else:
        labels = 1 + max(0, *(samples[i].label for i in train))
        counts = class_counts((samples[i] for i in train if samples[i].label >= 0), labels)
        for label, count in enumerate(counts):
            of_label = [i for i in train if samples[i].label == label]
            take = min(max(1, round(plan.validation * count)), count - 1)
            chosen |= set(map(int, rng.permutation(of_label)[: max(0, take)]))
    parts[Split.VALID] = [i for i in train if i in chosen]
    parts[Split.TRAIN] = [i for i in train if i not in chosen]
