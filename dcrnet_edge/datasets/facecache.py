"""Faces of a data set, found once and kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.datasets.sample import Sample, read_rgb
from dcrnet_runtime.face import LANDMARKS, Box, Face
from dcrnet_runtime.outfile import written_beside

SHARD = 2048
_MARGIN = 0.25


class Finder(Protocol):
    """What finding faces takes: see :mod:`dcrnet_runtime.finders`."""

    name: str
    landmarks_sha256: str

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]: ...


class FaceCache:
    """The landmarks of each image of a data set, in shards that survive an interruption.

    Args:
        folder: where the shards lie; made when missing.
        finder: what finds the faces; part of the key.
    """

    def __init__(self, folder: Path, finder: Finder) -> None:
        self._folder = folder
        self._finder = finder

    def faces(self, samples: Sequence[Sample]) -> list[Face]:
        """One face a sample; an image in which none is found counts as its own box."""
        faces: list[Face] = []
        for start in range(0, len(samples), SHARD):
            faces += self._shard(samples[start : start + SHARD])
        return faces

    def _shard(self, samples: Sequence[Sample]) -> list[Face]:
        path = self._folder / f"{self._key(samples)}.npz"
        if not path.is_file():
            found = [face_of_crop(read_rgb(sample.path), self._finder) for sample in samples]
            self._write(path, found)
            return found
        with np.load(path) as shard:
            boxes, landmarks = shard["boxes"], shard["landmarks"]
        return [
            Face(Box(*map(float, box)), None if np.isnan(mesh[0, 0]) else mesh)
            for box, mesh in zip(boxes, landmarks, strict=True)
        ]

    def _write(self, path: Path, faces: Sequence[Face]) -> None:
        nothing = np.full((LANDMARKS, 2), np.nan, np.float32)
        boxes = np.array([(f.box.x, f.box.y, f.box.width, f.box.height) for f in faces])
        meshes = np.stack([nothing if f.landmarks is None else f.landmarks for f in faces])
        with written_beside(path) as beside:
            np.savez(beside, boxes=boxes, landmarks=meshes)

    def _key(self, samples: Sequence[Sample]) -> str:
        finder = self._finder
        digest = sha256(f"{finder.name} {finder.landmarks_sha256} {_MARGIN}".encode())
        for sample in samples:
            digest.update(sha256(sample.path.read_bytes()).digest())
        return digest.hexdigest()[:32]


def face_of_crop(rgb: NDArray[np.uint8], finder: Finder) -> Face:
    """The face of an image that is itself a face crop.

    The detector wants to see around the face, so the image gets a margin first. The most
    central face counts; the whole image is the face's box in any case.
    """
    height, width = rgb.shape[:2]
    margin = round(_MARGIN * max(height, width))
    padded = np.pad(rgb, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    box = Box(0.0, 0.0, float(width), float(height))
    middle = np.array(box.centre)
    best, best_distance = None, 0.5 * max(height, width)
    for face in finder.find(padded):
        if face.landmarks is None:
            continue
        landmarks = (face.landmarks - margin).astype(np.float32)
        distance = float(np.linalg.norm(landmarks.mean(axis=0) - middle))
        if distance < best_distance:
            best, best_distance = landmarks, distance
    return Face(box, best)
