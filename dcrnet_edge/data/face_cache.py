"""Faces of a data set, found once and kept on disk."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.landmarks_file import LandmarksFile
from dcrnet_edge.datasets.sample import Sample, read_rgb
from dcrnet_runtime.cache import DAMAGED_ARRAYS, keep
from dcrnet_runtime.detectors.box_search import MARGIN, face_in_box, whole_picture
from dcrnet_runtime.detectors.detector import Detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import LANDMARKS, Box, Face

SHARD = 2048
POOL_FROM = 512
"""Images from which on other processes are worth their start."""
_CHUNK = 16
_log = logging.getLogger(__name__)


class FaceCache:
    """The landmarks of each image of a data set, in shards that survive an interruption.

    Args:
        folder: where the shards lie; made when missing.
        open_detector: opens what finds the faces; its name and network are part of the key. With
            several workers each opens its own, so that it has to be picklable.
        workers: processes that look for faces.
        progress: called with the images done and all images, where there is something to do.
        file: one file that has the faces, or gets them; see
            :class:`dcrnet_edge.data.landmarks_file.LandmarksFile`.
    """

    def __init__(
        self,
        folder: Path,
        open_detector: Callable[[], Detector],
        *,
        workers: int = 1,
        progress: Callable[[int, int], None] | None = None,
        file: Path | None = None,
    ) -> None:
        self._folder = folder
        self._open_detector = open_detector
        self._workers = workers
        self._progress = progress or (lambda _done, _total: None)
        self._detector = open_detector()
        self.name = self._detector.name
        self.landmarks_sha256 = self._detector.landmarks_sha256
        found_by = f"{self.name} {self.landmarks_sha256} {MARGIN}"
        self._file = None if file is None else LandmarksFile(file, found_by)

    def faces(
        self,
        samples: Sequence[Sample],
        images: Sequence[Sample] | None = None,
        *,
        is_extra: bool = False,
    ) -> list[Face]:
        """One face a sample; an image in which none is found counts as its own box.

        A damaged shard is made anew, with a warning.

        Args:
            samples: the images asked for.
            images: all of the data set in the order of the shards, so that another split of it
                finds them again; by default ``samples``.
            is_extra: they are not the data set's, so that a file which lacks them gets them.

        Raises:
            DcrnetError: a worker died; the shards that are done stay. Or the one file lacks an
                image.
        """
        images = images or samples
        is_altered = any(sample.alteration is not None for sample in samples)
        if self._file is None or is_altered:
            return self._cached(samples, images)
        digests = [content_digest(sample) for sample in samples]
        lacks = not all(digest in self._file for digest in digests)
        if lacks and (is_extra or not self._file.is_given):
            found = self._cached(images, images)
            self._file.add(dict(zip(map(content_digest, images), found, strict=True)))
        return self._file.faces(samples, digests)

    def _cached(self, samples: Sequence[Sample], images: Sequence[Sample]) -> list[Face]:
        places = {image: place for place, image in enumerate(images)}
        numbers = sorted({places[sample] // SHARD for sample in samples})
        shards = self._shards([images[n * SHARD : (n + 1) * SHARD] for n in numbers])
        by_number = dict(zip(numbers, shards, strict=True))
        return [by_number[places[s] // SHARD][places[s] % SHARD] for s in samples]

    def _shards(self, shards: list[Sequence[Sample]]) -> list[list[Face]]:
        """The faces of each shard, from disk or looked for."""
        paths = [self._folder / f"{self._key(shard)}.npz" for shard in shards]
        found = [_read_shard(path, len(shard)) for path, shard in zip(paths, shards, strict=True)]
        missing = [i for i, faces in enumerate(found) if faces is None]
        if missing:
            made = self._make([shards[i] for i in missing], [paths[i] for i in missing])
            for i, faces in zip(missing, made, strict=True):
                found[i] = faces
        return [faces or [] for faces in found]

    def _make(self, shards: list[Sequence[Sample]], paths: list[Path]) -> list[list[Face]]:
        made: list[list[Face]] = []
        total, done = sum(map(len, shards)), 0
        self._progress(0, total)
        with ExitStack() as stack:
            find: Callable[[Sequence[Sample]], Iterable[Face]]
            if self._workers == 1 or total < POOL_FROM:
                find = self._find_here
            else:
                find = functools.partial(self._find_apart, stack.enter_context(self._pool()))
            for shard, path in zip(shards, paths, strict=True):
                found = []
                for face in find(shard):
                    found.append(face)
                    done += 1
                    self._progress(done, total)
                _write_shard(path, found)
                made.append(found)
        return made

    def _find_here(self, shard: Sequence[Sample]) -> Iterator[Face]:
        return (face_of_crop(read_rgb(sample), self._detector) for sample in shard)

    def _pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_open_in_worker,
            initargs=(self._open_detector,),
        )

    def _find_apart(self, pool: ProcessPoolExecutor, shard: Sequence[Sample]) -> Iterator[Face]:
        try:
            yield from pool.map(_find_in_worker, shard, chunksize=_CHUNK)
        except BrokenProcessPool as error:
            raise DcrnetError(
                "a process that looks for faces was killed, mostly for want of memory: give fewer"
                " `workers`; what is done is kept"
            ) from error

    def _key(self, samples: Sequence[Sample]) -> str:
        digest = sha256(f"{self.name} {self.landmarks_sha256} {MARGIN}".encode())
        for sample in samples:
            digest.update(content_digest(sample))
        return digest.hexdigest()[:32]


def content_digest(sample: Sample) -> bytes:
    """SHA-256 of an image file, of a face in it, or of a row in a CSV of pixels.

    With what is done to it, where something is.
    """
    if sample.row_offset is not None:
        return sha256(read_rgb(sample).tobytes()).digest()
    digest = sha256(sample.path.read_bytes())
    if sample.box is not None:
        digest.update(repr(sample.box).encode())
    if sample.alteration is not None:
        digest.update(sample.alteration.key.encode())
    return digest.digest()


def _write_shard(path: Path, faces: Sequence[Face]) -> None:
    nothing = np.full((LANDMARKS, 2), np.nan, np.float32)
    boxes = np.array([(f.box.x, f.box.y, f.box.width, f.box.height) for f in faces])
    meshes = np.stack([nothing if f.landmarks is None else f.landmarks for f in faces])
    keep(path, lambda beside: np.savez(beside, boxes=boxes, landmarks=meshes))


def _read_shard(path: Path, count: int) -> list[Face] | None:
    """The faces on disk; None where there are none, or not whole."""
    try:
        with np.load(path) as shard:
            boxes, landmarks = shard["boxes"], shard["landmarks"]
        if boxes.shape != (count, 4) or landmarks.shape != (count, LANDMARKS, 2):
            raise ValueError("of another shape")
    except FileNotFoundError:
        return None
    except DAMAGED_ARRAYS as error:
        _log.warning("%s is damaged (%s): its faces are looked for again.", path, error)
        return None
    return [
        Face(Box(*map(float, box)), None if np.isnan(mesh[0, 0]) else mesh)
        for box, mesh in zip(boxes, landmarks, strict=True)
    ]


_worker_detector: Detector | None = None


def _open_in_worker(open_detector: Callable[[], Detector]) -> None:
    global _worker_detector
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    _worker_detector = open_detector()


def _find_in_worker(sample: Sample) -> Face:
    assert _worker_detector is not None
    return face_of_crop(read_rgb(sample), _worker_detector)


def face_of_crop(rgb: NDArray[np.uint8], detector: Detector) -> Face:
    """The face of an (H, W, 3) image that is itself a face crop; the whole image is its box."""
    return face_in_box(rgb, whole_picture(rgb), detector)
