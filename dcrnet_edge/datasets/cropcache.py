"""Crops of a data set without augmentation, prepared once and kept on disk."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.datasets.facecache import SHARD, content_digest
from dcrnet_edge.datasets.sample import Sample, read_rgb
from dcrnet_runtime.face import Face
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.preprocess import prepare
from dcrnet_runtime.spec import Colour, PreprocessSpec


def prepared_crops(
    folder: Path, samples: Sequence[Sample], faces: Sequence[Face], spec: PreprocessSpec
) -> NDArray[np.uint8]:
    """Every sample through :func:`dcrnet_runtime.preprocess.prepare`.

    Args:
        folder: where the shards lie; made when missing. Their names stand for the contract,
            the images and the landmarks, so that a change of any makes new ones.
        samples: the images.
        faces: one a sample.
        spec: the contract.

    Returns:
        (N, S, S, 3) uint8 RGB, or (N, S, S, 1) where the contract asks for luma.
    """
    shards = []
    for start in range(0, len(samples), SHARD):
        part = slice(start, start + SHARD)
        shards.append(_shard(folder, samples[part], faces[part], spec))
    return shards[0] if len(shards) == 1 else np.concatenate(shards)


def _shard(
    folder: Path, samples: Sequence[Sample], faces: Sequence[Face], spec: PreprocessSpec
) -> NDArray[np.uint8]:
    channels = 1 if spec.colour is Colour.LUMA else 3
    shape = (len(samples), spec.size_px, spec.size_px, channels)
    path = folder / f"{_key(samples, faces, spec)}.npy"
    crops = _mapped(path, shape)
    if crops is None:
        crops = np.empty(shape, np.uint8)

        def fill(row: NDArray[np.uint8], sample: Sample, face: Face) -> None:
            row[:] = prepare(read_rgb(sample), face, spec)[:, :, :channels]

        with ThreadPoolExecutor() as pool:  # OpenCV and NumPy let others run meanwhile
            list(pool.map(fill, crops, samples, faces))
        with written_beside(path) as beside, beside.open("wb") as file:
            np.save(file, crops)
            file.write(_checksum(crops))  # np.load reads no further than the array
    return crops


def _mapped(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """The shard on disk; None where there is none, or one that is cut off or damaged."""
    try:
        crops: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None
    if crops.shape != shape or crops.dtype != np.uint8:
        return None
    with path.open("rb") as file:
        file.seek(crops.offset + crops.nbytes)  # type: ignore[attr-defined]  # of a memmap
        return crops if file.read() == _checksum(crops) else None


def _checksum(crops: NDArray[np.uint8]) -> bytes:
    return zlib.crc32(np.ascontiguousarray(crops).data).to_bytes(4, "little")


def _key(samples: Sequence[Sample], faces: Sequence[Face], spec: PreprocessSpec) -> str:
    digest = sha256(spec.to_json().encode())
    for sample, face in zip(samples, faces, strict=True):
        digest.update(content_digest(sample))
        box = face.box
        digest.update(np.array([box.x, box.y, box.width, box.height]).tobytes())
        digest.update(b"" if face.landmarks is None else face.landmarks.tobytes())
    return digest.hexdigest()[:32]
