"""The faces of a data set in one file that can be carried to another machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dcrnet_edge.datasets.sample import Sample
from dcrnet_runtime.cache import DAMAGED_ARRAYS
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import LANDMARKS, Box, Face
from dcrnet_runtime.outfile import written_beside

_REMEDY = "name another file with `landmarks_cache`, which is then made"


class LandmarksFile:
    """What was found in each image, by the image's hash.

    A file that exists is the whole of its data set; one that does not is written with all that is
    found while it is open. Faces of extra images join either.

    Args:
        path: of the file.
        found_by: detector and landmark network; a file of another is refused.

    Attributes:
        is_given: whether the file was there.

    Raises:
        DcrnetError: the file is damaged, or was made by another detector or network.
    """

    def __init__(self, path: Path, found_by: str) -> None:
        self._path = path
        self._found_by = found_by
        self.is_given = path.exists()
        self._faces = _read(path, found_by) if self.is_given else {}

    def faces(self, samples: Sequence[Sample], digests: Sequence[bytes]) -> list[Face]:
        """One face a sample.

        Args:
            samples: the images, for the message.
            digests: hash of each.

        Raises:
            DcrnetError: the file lacks an image.
        """
        lacking = [s for s, digest in zip(samples, digests, strict=True) if digest not in self]
        if lacking:
            raise DcrnetError(
                f"{self._path} lacks {len(lacking)} of {len(samples)} images (first"
                f" {lacking[0].name}): it was made of other images, or of an older state of these;"
                f" {_REMEDY}"
            )
        return [self._faces[digest] for digest in digests]

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._faces

    def add(self, faces: Mapping[bytes, Face]) -> None:
        """Write more faces, by their images' hashes, unless all are there."""
        if faces.keys() <= self._faces.keys():
            return
        self._faces = {**self._faces, **faces}
        nothing = np.full((LANDMARKS, 2), np.nan, np.float32)
        every = self._faces.values()
        digests = [np.frombuffer(digest, np.uint8) for digest in self._faces]
        with written_beside(self._path) as beside, beside.open("wb") as file:
            np.savez(
                file,  # not a path, whose ending it would change
                found_by=np.array(self._found_by),
                digests=np.stack(digests),
                boxes=np.array([(f.box.x, f.box.y, f.box.width, f.box.height) for f in every]),
                landmarks=np.stack(
                    [nothing if f.landmarks is None else f.landmarks for f in every]
                ),
            )


def _read(path: Path, found_by: str) -> dict[bytes, Face]:
    try:
        with np.load(path) as file:
            theirs = str(file["found_by"])
            digests, boxes, landmarks = file["digests"], file["boxes"], file["landmarks"]
        count = len(digests)
        if boxes.shape != (count, 4) or landmarks.shape != (count, LANDMARKS, 2):
            raise ValueError("of another shape")
    except DAMAGED_ARRAYS as error:
        raise DcrnetError(
            f"{path} is no whole file of landmarks ({error}): copy it again, or {_REMEDY}"
        ) from error
    if theirs != found_by:
        raise DcrnetError(
            f"the faces in {path} were found by {theirs}, and here they are found by {found_by}:"
            f" give the same `landmarks`, or {_REMEDY}"
        )
    return {
        digest.tobytes(): Face(Box(*map(float, box)), None if np.isnan(mesh[0, 0]) else mesh)
        for digest, box, mesh in zip(digests, boxes, landmarks, strict=True)
    }
