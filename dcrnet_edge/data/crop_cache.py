"""Crops of a data set without augmentation, prepared once and kept on disk."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.face_cache import SHARD, content_digest
from dcrnet_edge.datasets.sample import Sample, read_rgb
from dcrnet_runtime.cache import DAMAGED_ARRAYS, keep
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import Colour, PreprocessSpec


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Prepared faces in one array a shard, mostly on disk: a data set can be larger than memory.

    Attributes:
        shards: (n, S, S, 3) uint8 RGB, or (n, S, S, 1) where the contract asks for luma; all
            but the last are of the same n.
    """

    shards: tuple[NDArray[np.uint8], ...]

    def __len__(self) -> int:
        return sum(map(len, self.shards))

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return itertools.chain.from_iterable(self.shards)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        shard, row = divmod(index, len(self.shards[0]))
        return self.shards[shard][row]

    def batches(self, size: int) -> Iterator[NDArray[np.uint8]]:
        """Up to ``size`` of them at once, (n, S, S, 1 or 3) uint8."""
        rows = iter(self)
        while batch := list(itertools.islice(rows, size)):
            yield np.stack(batch)


class CropCache:
    """Every sample through :func:`dcrnet_runtime.preprocess.crops.prepare`, kept on disk.

    Args:
        folder: where the shards lie; made when missing. Their names stand for the contract, the
            images and the landmarks, so that a change of any makes new ones.
        progress: called with the images done and all images, where there is something to do.
    """

    def __init__(self, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
        self._folder = folder
        self._progress = progress or (lambda _done, _total: None)

    def crops(
        self, samples: Sequence[Sample], faces: Sequence[Face], spec: PreprocessSpec
    ) -> Crops:
        """The crops of ``samples``, from disk or prepared by all cores.

        Args:
            samples: the images.
            faces: one a sample.
            spec: the contract.
        """
        parts = [slice(start, start + SHARD) for start in range(0, len(samples), SHARD)]
        paths = [self._folder / f"{crops_key(samples[p], faces[p], spec)}.npy" for p in parts]
        shapes = [_shape(len(samples[part]), spec) for part in parts]
        shards = [_mapped(path, shape) for path, shape in zip(paths, shapes, strict=True)]
        done, total = 0, sum(n for (n, *_), s in zip(shapes, shards, strict=True) if s is None)
        if total:
            self._progress(done, total)
        kept = []
        for part, path, shape, crops in zip(parts, paths, shapes, shards, strict=True):
            if crops is None:
                crops = np.empty(shape, np.uint8)
                for _ in _filled(crops, samples[part], faces[part], spec):
                    done += 1
                    self._progress(done, total)
                _write(path, crops)
                mapped = _mapped(path, shape)  # which frees the memory
                crops = crops if mapped is None else mapped
            kept.append(crops)
        return Crops(tuple(kept))


def _shape(count: int, spec: PreprocessSpec) -> tuple[int, int, int, int]:
    return count, spec.size_px, spec.size_px, 1 if spec.colour is Colour.LUMA else 3


def _filled(
    crops: NDArray[np.uint8],
    samples: Sequence[Sample],
    faces: Sequence[Face],
    spec: PreprocessSpec,
) -> Iterator[None]:
    """Writes the rows of ``crops``, and yields after each."""

    def fill(row: NDArray[np.uint8], sample: Sample, face: Face) -> None:
        row[:] = prepare(read_rgb(sample), face, spec)[:, :, : row.shape[-1]]

    with ThreadPoolExecutor() as pool:  # OpenCV and NumPy let others run meanwhile
        yield from pool.map(fill, crops, samples, faces)


def _write(path: Path, crops: NDArray[np.uint8]) -> None:
    def write(beside: Path) -> None:
        with beside.open("wb") as file:
            np.save(file, crops)
            file.write(_checksum(crops))  # np.load reads no further than the array

    keep(path, write)


def _mapped(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """The shard on disk; None where there is none, or one that is cut off or damaged."""
    try:
        crops: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGED_ARRAYS:
        return None
    if crops.shape != shape or crops.dtype != np.uint8:
        return None
    with path.open("rb") as file:
        file.seek(crops.offset + crops.nbytes)  # type: ignore[attr-defined]  # of a memmap
        return crops if file.read() == _checksum(crops) else None


def _checksum(crops: NDArray[np.uint8]) -> bytes:
    return zlib.crc32(np.ascontiguousarray(crops).data).to_bytes(4, "little")


def crops_key(samples: Sequence[Sample], faces: Sequence[Face], spec: PreprocessSpec) -> str:
    """What tells crops from others: 32 hexadecimal digits of contract, images and landmarks."""
    digest = sha256(spec.to_json().encode())
    for sample, face in zip(samples, faces, strict=True):
        digest.update(content_digest(sample))
        box = face.box
        digest.update(np.array([box.x, box.y, box.width, box.height]).tobytes())
        digest.update(b"" if face.landmarks is None else face.landmarks.tobytes())
    return digest.hexdigest()[:32]
