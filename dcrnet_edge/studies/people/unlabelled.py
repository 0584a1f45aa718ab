"""Faces whose labels nobody knows, from a folder and a table of attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from hashlib import sha256
from pathlib import Path

import numpy as np

from dcrnet_edge.cli.face_data import open_faces
from dcrnet_edge.data.face_cache import content_digest
from dcrnet_edge.datasets.sample import FaceDataset, Sample, Split, one_hot
from dcrnet_edge.evaluation.model_refs import Images, ModelRef
from dcrnet_edge.studies.options import StudiedImages
from dcrnet_edge.studies.training_data import card_of
from dcrnet_runtime.errors import DcrnetError

_OF_ANY_FACES = ("images", "seed", "shared_labels", "landmarks", "landmarks_cache", "workers")
"""Options that do not tell which labelled data is read, and how it is split."""


def unlabelled_images(
    folder: Path,
    by_image: Mapping[str, Mapping[str, str]],
    asked: StudiedImages,
    refs: Mapping[str, ModelRef],
) -> Images:
    """The images of a table of attributes, or the sample of them that is asked for.

    Args:
        folder: that their names are relative to.
        by_image: attributes by image.
        asked: how many, by which seed, and how faces are found.
        refs: the models, whose labels the data set gets.

    Raises:
        DcrnetError: images are missing, or options were given that only labelled data have.
    """
    _check_options(asked)
    paths = [folder / name for name in by_image]
    if missing := [path for path in paths if not path.is_file()]:
        raise DcrnetError(
            f"{len(missing)} of {len(paths)} images of `groups` are not in {folder} (first:"
            f" {missing[0]}): name the folder that their names are relative to"
        )
    labels = card_of(next(iter(refs.values()))).labels
    # Nobody knows the labels; the first one stands in their place and is not written.
    samples = [Sample(path, 0, one_hot(0, len(labels))) for path in _some(paths, asked)]
    digest = sha256(b"".join(map(content_digest, samples))).hexdigest()
    dataset = FaceDataset(
        "unlabelled", labels, {Split.TEST: samples}, digest=digest, images=samples
    )
    faces = open_faces(dataset, asked.landmarks, asked.workers, asked.landmarks_cache)
    return Images(faces, Split.TEST, folder)


def _check_options(asked: StudiedImages) -> None:
    names = [field.name for field in fields(asked) if field.name not in _OF_ANY_FACES]
    usual = StudiedImages()
    if given := [name for name in names if getattr(asked, name) != getattr(usual, name)]:
        raise DcrnetError(
            f"`{given[0]}` is of labelled data, which `unlabelled` stands in place of: leave out"
            " one of the two"
        )


def _some(paths: Sequence[Path], asked: StudiedImages) -> list[Path]:
    """As :meth:`StudiedImages.open` takes a sample."""
    count = min(asked.images, len(paths)) or len(paths)
    chosen = np.random.default_rng(asked.seed).permutation(len(paths))[:count]
    return [paths[i] for i in sorted(chosen)]
