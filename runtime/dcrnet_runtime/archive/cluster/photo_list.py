"""The photos that several machines are to answer, and the parts that they are divided into."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dcrnet_runtime.archive.cluster.storage import Stored, bucket_listing, is_in_bucket
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.files.inputs import listed_inputs
from dcrnet_runtime.video.files.listing import VIDEO_SUFFIXES, is_recording, names_of
from dcrnet_runtime.video.images import IMAGE_SUFFIXES

_OBJECT_SUFFIXES = IMAGE_SUFFIXES | {".avif", ".heic", ".heif"}
_MOST_PHOTOS, _LEAST_PHOTOS = 256, 16  # of a part
_PARTS_A_WORKER = 8  # so that the last ones end at about the same time


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo by its address.

    Attributes:
        stored: where it is, and what it is taken for the same by.
        name: what answers call it.
        failure: why it is known that it cannot be read; empty where it is not.
    """

    stored: Stored
    name: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class PhotoPart:
    """Photos whose answers are one file.

    Attributes:
        number: of the part, from 0.
        first: the number of its first photo among all.
        photos: in their order.
    """

    number: int
    first: int
    photos: tuple[StoredPhoto, ...]

    @property
    def name(self) -> str:
        """Of its file: the same whoever writes it, so that a second try replaces the first."""
        return f"part-{self.number:06d}.parquet"

    @property
    def sha256(self) -> str:
        """Of its photos' addresses, sizes and times: another one where a photo was changed."""
        return _sha256([astuple(photo.stored) for photo in self.photos])


@dataclass(frozen=True, slots=True)
class PhotoList:
    """All photos.

    Attributes:
        photos: in their order.
        skipped: what was left out, for people; empty where nothing was.
    """

    photos: tuple[StoredPhoto, ...]
    skipped: str = ""

    @classmethod
    def of(cls, addresses: Sequence[str]) -> PhotoList:
        """The photos at paths, folders, patterns and addresses in buckets.

        Objects are told by their endings, since a look into each would take longer than the list.

        Raises:
            DcrnetError: there is nothing, a bucket cannot be looked into, or one is a recording.
        """
        local = [each for each in addresses if not is_in_bucket(each)]
        inputs = listed_inputs(local)
        found = {str(path): _on_disk(path) for path in inputs.paths}
        failures = {str(path): why for path, why in inputs.unreadable.items()}
        left_out = 0
        for address in addresses:
            for each in bucket_listing(address) if is_in_bucket(address) else ():
                suffix = PurePosixPath(each.address).suffix.lower()
                if suffix in VIDEO_SUFFIXES:
                    raise _of_recording(each.address)
                if suffix in _OBJECT_SUFFIXES:
                    found[each.address] = each
                left_out += suffix not in _OBJECT_SUFFIXES
        names = names_of([Path(address) for address in found])
        photos = tuple(
            StoredPhoto(each, name, failures.get(address, ""))
            for (address, each), name in zip(found.items(), names, strict=True)
        )
        objects = f"{left_out} objects whose names end like no photo's" if left_out else ""
        return cls(photos, ", ".join(filter(None, (inputs.skipped, objects))))

    @property
    def sha256(self) -> str:
        """Of all addresses in their order."""
        return _sha256([photo.stored.address for photo in self.photos])

    def part_size(self, workers: int) -> int:
        """Photos a part, so that each of the workers has several."""
        even = len(self.photos) // (_PARTS_A_WORKER * workers)
        return max(_LEAST_PHOTOS, min(even, _MOST_PHOTOS))

    def parts(self, size: int) -> list[PhotoPart]:
        """All photos, so many a part."""
        starts = range(0, len(self.photos), size)
        return [
            PhotoPart(number, first, self.photos[first : first + size])
            for number, first in enumerate(starts)
        ]


def _sha256(told: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _on_disk(path: Path) -> Stored:
    """A file; its path from the root, since workers may have started elsewhere.

    Raises:
        DcrnetError: it is a recording.
    """
    if is_recording(path):
        raise _of_recording(str(path))
    absolute = str(path.absolute())
    try:
        about = path.stat()
    except OSError:  # named by who reads it
        return Stored(absolute, 0, 0)
    return Stored(absolute, about.st_size, about.st_mtime_ns)


def _of_recording(address: str) -> DcrnetError:
    return DcrnetError(
        f"{address} is a recording, and `engine` ray answers photos alone: leave it out, and"
        " answer recordings by `engine` local"
    )
