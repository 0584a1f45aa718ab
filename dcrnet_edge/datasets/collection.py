"""What an adapter reads from disk, before it is split."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from dcrnet_edge.datasets.sample import Sample, Split
from dcrnet_runtime.errors import DcrnetError

_SHOWN = 5
_SYNONYMS = {
    "anger": ("angry",),
    "contempt": ("contemptuous",),
    "disgust": ("disgusted",),
    "fear": ("afraid", "fearful", "scared"),
    "happiness": ("happy", "joy"),
    "neutral": ("neutrality", "calm"),
    "sadness": ("sad",),
    "surprise": ("surprised",),
}
_NAMES = {name: name for name in _SYNONYMS} | {
    synonym: name for name, synonyms in _SYNONYMS.items() for synonym in synonyms
}


@dataclass(frozen=True, slots=True)
class Collection:
    """Labelled images in the order in which the data set lists them.

    Attributes:
        name: of the data set.
        labels: class names in the order of ``Sample.label``.
        samples: the images; those with label -1 only count when repeats are looked for.
        official: the split of each sample where the data set says so, else empty.
        paper_is_official: whether the paper uses that split.
        paper_test: Test images of each label in the paper's random split (table 1), else empty.
        paper_train: Train images of each label in that split.
        paper_images: indices of the samples that split is of, where not of all.
    """

    name: str
    labels: tuple[str, ...]
    samples: list[Sample]
    official: list[Split]
    paper_is_official: bool = False
    paper_test: tuple[int, ...] = ()
    paper_train: tuple[int, ...] = ()
    paper_images: tuple[int, ...] = ()


def expression(name: str) -> str | None:
    """The usual name of an expression, ``happiness`` for ``Happy``; None for other words."""
    return _NAMES.get(name.strip().lower())


def closest_expression(name: str) -> str:
    """A hint for a word that is no expression."""
    close = difflib.get_close_matches(name.lower(), _NAMES, 1)
    return f"; did you mean {close[0]}?" if close else ""


def layout_error(root: Path, expected: str) -> DcrnetError:
    """An error that says what was expected in a folder, and what is there."""
    try:
        found = sorted(path.name + "/" * path.is_dir() for path in root.iterdir())
    except OSError as error:
        return DcrnetError(
            f"{root} cannot be listed ({error.strerror}); it should hold {expected}"
        )
    return DcrnetError(f"{root} should hold {expected}; it holds {listed(found) or 'nothing'}")


def listed(names: Iterable[str]) -> str:
    """The first few of many names."""
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def is_resource_fork(path: Path) -> bool:
    """Whether it is one of the ``._`` files that macOS writes beside others, named after them."""
    return path.name.startswith("._")


def without_resource_forks(collection: Collection) -> tuple[Collection, list[Path]]:
    """The collection without the ``._`` files that its layout took for images, and these."""
    samples, official = collection.samples, collection.official
    kept = [i for i, sample in enumerate(samples) if not is_resource_fork(sample.path)]
    if len(kept) == len(samples):
        return collection, []
    place = {index: new for new, index in enumerate(kept)}
    forks = [sample.path for sample in samples if is_resource_fork(sample.path)]
    cleared = replace(
        collection,
        samples=[samples[i] for i in kept],
        official=[official[i] for i in kept] if official else [],
        paper_images=tuple(place[i] for i in collection.paper_images if i in place),
    )
    return cleared, forks
