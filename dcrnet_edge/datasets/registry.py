"""Data sets by name: read, split, and cleared of repeats."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from dcrnet_edge.datasets.affectnet import read_affectnet
from dcrnet_edge.datasets.ckplus import read_ckplus
from dcrnet_edge.datasets.collection import Collection
from dcrnet_edge.datasets.ferplus import read_fer2013, read_ferplus
from dcrnet_edge.datasets.folders import read_folders
from dcrnet_edge.datasets.kdef import read_kdef
from dcrnet_edge.datasets.rafdb import read_rafdb
from dcrnet_edge.datasets.sample import UNLABELLED, FaceDataset, Sample, Split, read_rgb
from dcrnet_edge.datasets.splits import Parts, SplitPlan, divide
from dcrnet_runtime.errors import DcrnetError

_MOST_UNREADABLE = 0.05


class DatasetKind(StrEnum):
    """Layouts that can be read."""

    FERPLUS = "ferplus"
    FER2013 = "fer2013"
    AFFECTNET = "affectnet"
    CKPLUS = "ckplus"
    KDEF = "kdef"
    RAFDB = "rafdb"
    FOLDERS = "folders"


def read_dataset(kind: DatasetKind, root: Path, plan: SplitPlan | None = None) -> FaceDataset:
    """Read the data set at ``root`` and split it.

    Images whose pixels occur twice are dropped: Test keeps them, then Valid. Images that cannot
    be decoded are left out and counted.

    Raises:
        DcrnetError: the folder is missing or has another layout, the split is not possible, a
            split is empty, or more than 5 % of the images are unreadable.
    """
    if not root.is_dir():
        raise DcrnetError(f"data set folder {root} does not exist: unpack the data set there")
    collection = _read(kind, root)
    parts, protocol = divide(collection, plan or SplitPlan())
    digests = _digests(collection.samples)
    unreadable = [s for s, digest in zip(collection.samples, digests, strict=True) if not digest]
    if len(unreadable) > _MOST_UNREADABLE * len(digests):
        raise DcrnetError(
            f"{len(unreadable)} of {len(digests)} images cannot be read; the first:"
            f" {_failure(unreadable[0])}; unpack {root} again"
        )
    kept, repeats = _without_repeats(parts, digests)
    splits: dict[Split, list[Sample]] = {}
    for split in Split:
        samples = [collection.samples[index] for index in kept[split]]
        splits[split] = [sample for sample in samples if sample.label != UNLABELLED]
        if not splits[split]:
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
    )


def _read(kind: DatasetKind, root: Path) -> Collection:
    match kind:
        case DatasetKind.FERPLUS:
            return read_ferplus(root)
        case DatasetKind.FER2013:
            return read_fer2013(root)
        case DatasetKind.AFFECTNET:
            return read_affectnet(root)
        case DatasetKind.CKPLUS:
            return read_ckplus(root)
        case DatasetKind.KDEF:
            return read_kdef(root)
        case DatasetKind.RAFDB:
            return read_rafdb(root)
        case DatasetKind.FOLDERS:
            return read_folders(root)


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


def license_of(kind: DatasetKind) -> str:
    """On which terms a model trained on ``kind`` can be used."""
    match kind:
        case DatasetKind.FERPLUS:
            return (
                "Trained on FER2013 images with FERPlus labels. The labels are MIT-licensed"
                " (Microsoft); the images come from the FER2013 contest and carry no clear"
                " licence, so these weights are for research use."
            )
        case DatasetKind.FER2013:
            return (
                "Trained on FER2013, whose images carry no clear licence: these weights are for"
                " research use."
            )
        case DatasetKind.AFFECTNET:
            return "Trained on AffectNet, which is licensed for academic research alone."
        case DatasetKind.CKPLUS:
            return "Trained on CK+, which is licensed for non-commercial research alone."
        case DatasetKind.KDEF:
            return "Trained on KDEF, which is free for non-commercial research alone."
        case DatasetKind.RAFDB:
            return "Trained on RAF-DB, which is licensed for non-commercial research alone."
        case DatasetKind.FOLDERS:
            return "Trained on images whose terms only their owner knows."
