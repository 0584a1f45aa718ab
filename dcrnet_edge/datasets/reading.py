"""Data sets read from disk: split, and cleared of repeats and of what cannot be decoded."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from dcrnet_edge.datasets import registry
from dcrnet_edge.datasets.collection import Collection, without_resource_forks
from dcrnet_edge.datasets.sample import UNLABELLED, FaceDataset, Sample, Split, read_rgb
from dcrnet_edge.datasets.splits import Parts, SplitPlan, divide
from dcrnet_runtime.errors import DcrnetError

_MOST_UNREADABLE = 0.05


def read_dataset(
    name: str, root: Path, plan: SplitPlan | None = None, needed: Sequence[Split] = tuple(Split)
) -> FaceDataset:
    """Read the data set at ``root`` and split it.

    Images whose pixels occur twice are dropped: Test keeps them, then Valid. Images that cannot
    be decoded are left out and counted, as are the ``._`` files that macOS puts beside images.

    Args:
        name: of its adapter in the registry.
        root: its folder.
        plan: how to split it.
        needed: splits that have to be there; the others may be empty, or their images missing.

    Raises:
        DcrnetError: the data set is unknown, the folder is missing or has another layout, the
            split is not possible, a split that is needed is empty, or more than 5 % of its
            images are unreadable.
    """
    if root.is_file():
        raise DcrnetError(f"data set {root} is a file: name the folder that holds it")
    if not root.is_dir():
        raise DcrnetError(f"data set folder {root} does not exist: unpack the data set there")
    collection, forks = without_resource_forks(registry.adapter(name).read(root))
    parts, protocol = divide(collection, plan or SplitPlan())
    digests = _digests(collection.samples)
    is_whole = set(needed) == set(Split)
    wanted = range(len(digests)) if is_whole else [i for split in needed for i in parts[split]]
    unreadable = [collection.samples[index] for index in wanted if not digests[index]]
    if len(unreadable) > _MOST_UNREADABLE * len(wanted):
        raise DcrnetError(
            f"{len(unreadable)} of {len(wanted)} images cannot be read; the first:"
            f" {_failure(unreadable[0])}; unpack {root} again"
        )
    kept, repeats = _without_repeats(parts, digests)
    splits: dict[Split, list[Sample]] = {}
    for split in Split:
        samples = [collection.samples[index] for index in kept[split]]
        splits[split] = [sample for sample in samples if sample.label != UNLABELLED]
        if split in needed and not splits[split]:
            raise DcrnetError(
                f"{root} leaves no labelled image for the {split} split: is the data set whole?"
            )
    decoded = zip(collection.samples, digests, strict=True)
    return FaceDataset(
        collection.name,
        collection.labels,
        splits,
        repeats,
        len(unreadable),
        protocol,
        _dataset_digest(collection, kept, digests),
        [s for s, digest in decoded if digest and s.label != UNLABELLED],
        (*(sample.path.name for sample in unreadable), *(path.name for path in forks)),
    )


def _failure(sample: Sample) -> str:
    """Why an image cannot be read."""
    try:
        read_rgb(sample)
    except (DcrnetError, OSError) as error:
        return str(error)
    return f"{sample.name} could not be read a moment ago"


def _digests(samples: list[Sample]) -> list[bytes]:
    """SHA-256 of each image's pixels; empty for one that cannot be decoded."""

    def digest(sample: Sample) -> bytes:
        try:
            return sha256(read_rgb(sample).tobytes()).digest()
        except (DcrnetError, OSError):
            return b""

    with ThreadPoolExecutor() as pool:
        return list(pool.map(digest, samples))


def _without_repeats(parts: Parts, digests: list[bytes]) -> tuple[Parts, int]:
    """Drop images whose pixels occur twice, within and across splits, and unreadable ones."""
    seen: set[bytes] = set()
    kept: Parts = {}
    repeats = 0
    for split in (Split.TEST, Split.VALID, Split.TRAIN):
        kept[split] = []
        for index in parts[split]:
            digest = digests[index]
            if digest and digest not in seen:
                seen.add(digest)
                kept[split].append(index)
            else:
                repeats += bool(digest)
    return kept, repeats


def _dataset_digest(collection: Collection, kept: Parts, digests: list[bytes]) -> str:
    lines = [
        f"{split} {collection.samples[index].label} {digests[index].hex()}"
        for split in Split
        for index in kept[split]
    ]
    return sha256("\n".join([*collection.labels, *sorted(lines)]).encode()).hexdigest()
