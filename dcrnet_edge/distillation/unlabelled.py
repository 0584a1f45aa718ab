"""Pictures of faces that nobody labelled: read, cleared of copies, chosen by the teachers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.sample import UNLABELLED, Sample, Split
from dcrnet_edge.distillation.near_copies import PictureHashes, are_near
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.video.images import IMAGE_SUFFIXES


@dataclass(frozen=True, slots=True)
class UnlabelledFolder:
    """Where the pictures lie.

    Attributes:
        root: images in it count, those in folders below it, too.
        excluded: folders of images of which no copy may be learned from.
        license: on which terms a model trained on them can be used.
    """

    root: Path
    excluded: tuple[Path, ...] = ()
    license: str = ""


@dataclass(frozen=True, slots=True)
class UnlabelledCounts:
    """What became of the pictures of a folder.

    Attributes:
        images: in the folder.
        unreadable: that cannot be decoded.
        copies: dropped for being the same as, or nearly, one of Test, of Valid, or of an excluded
            folder, or the same as another one of the folder.
        without_face: in which no landmarks were found.
        unsure: of which the teachers are less sure than the floor.
        balanced_away: dropped since their class had more than its share.
        kept: the rest, by label.
    """

    images: int
    unreadable: int
    copies: int
    without_face: int
    unsure: int
    balanced_away: int
    kept: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        kept = ", ".join(f"{label} {count}" for label, count in self.kept.items())
        return (
            f"{self.images} unlabelled images: {self.unreadable} unreadable, {self.copies} copies,"
            f" {self.without_face} without a face, {self.unsure} below the confidence floor,"
            f" {self.balanced_away} dropped for balance; kept {sum(self.kept.values())} ({kept})"
        )


@dataclass(frozen=True, slots=True, eq=False)
class UnlabelledFaces:
    """Faces that the teachers can be asked about.

    Attributes:
        samples: without a label.
        faces: one a sample, with landmarks, in the landmarks' own box.
        digest: SHA-256 over the pixels of the samples, in hexadecimal.
        images: in the folder.
        unreadable: see :class:`UnlabelledCounts`.
        copies: see there.
    """

    samples: list[Sample]
    faces: list[Face]
    digest: str
    images: int
    unreadable: int
    copies: int


def read_unlabelled(folder: UnlabelledFolder, data: FaceData) -> UnlabelledFaces:
    """The faces of a folder that are no copies of what a model is judged by.

    Args:
        folder: where they lie.
        data: the labelled data set; finds the faces.

    Raises:
        DcrnetError: a folder is missing or holds no image.
    """
    samples = _samples(folder.root, "unlabelled")
    judged = [*data.samples(Split.TEST), *data.samples(Split.VALID)]
    for root in folder.excluded:
        judged += _samples(root, "exclude")
    hashes, references = PictureHashes.of(samples), PictureHashes.of(judged)
    near = are_near(hashes.perceptual, references.perceptual)
    kept, copies, seen = [], 0, set(references.exact)
    for index, exact in enumerate(hashes.exact):
        if not exact:
            continue
        if exact in seen or near[index]:
            copies += 1
        else:
            kept.append(index)
        seen.add(exact)
    found = [samples[index] for index in kept]
    pairs = [
        (sample, Face(Box.around(face.landmarks), face.landmarks))
        for sample, face in zip(found, data.find(found), strict=True)
        if face.landmarks is not None
    ]
    if not pairs:
        raise DcrnetError(
            f"no face was found in the {len(samples)} images of {folder.root}: name another"
            " folder with `unlabelled`"
        )
    return UnlabelledFaces(
        [sample for sample, _ in pairs],
        [face for _, face in pairs],
        sha256(b"".join(hashes.exact[index] for index in kept)).hexdigest(),
        len(samples),
        sum(not exact for exact in hashes.exact),
        copies,
    )


def _samples(root: Path, parameter: str) -> list[Sample]:
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        what = "holds no image" if root.is_dir() else "does not exist"
        raise DcrnetError(f"`{parameter}` {root} {what}: name a folder of images")
    return [Sample(path, UNLABELLED, ()) for path in paths]


def chosen(
    confidences: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    floor: float,
    per_class: int,
    seed: int,
) -> tuple[NDArray[np.int64], int]:
    """Which faces are sure enough, at most so many of a class, drawn at random.

    Args:
        confidences: (N,) probability of the most probable label.
        labels: (N,) that label.
        floor: least confidence.
        per_class: at most of each label; 0 keeps all.
        seed: of the draw.

    Returns:
        ascending indices of those that are kept, and how many lie below the floor.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    sure = order[confidences[order] >= floor]
    kept = sure
    if per_class:
        by_label = [sure[labels[sure] == label][:per_class] for label in np.unique(labels[sure])]
        kept = np.concatenate([sure[:0], *by_label])
    return np.sort(kept), len(order) - len(sure)


def counts_of(
    found: UnlabelledFaces, kept: Sequence[int], unsure: int, names: Sequence[str]
) -> UnlabelledCounts:
    """What became of the pictures.

    Args:
        found: those with a face.
        kept: label of each that was kept.
        unsure: how many lay below the confidence floor.
        names: of the labels.
    """
    by_label = np.bincount(np.asarray(kept, np.int64), minlength=len(names))
    return UnlabelledCounts(
        found.images,
        found.unreadable,
        found.copies,
        found.images - found.unreadable - found.copies - len(found.samples),
        unsure,
        len(found.samples) - unsure - len(kept),
        {name: int(count) for name, count in zip(names, by_label, strict=True)},
    )
