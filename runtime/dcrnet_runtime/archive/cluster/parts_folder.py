"""The folder of a run's parts: which are there, and whether a run may go on with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dcrnet_runtime.archive.cluster.part_file import Failed, PartCounts, part_counts
from dcrnet_runtime.archive.cluster.photo_list import PhotoList, PhotoPart
from dcrnet_runtime.archive.cluster.storage import Folder
from dcrnet_runtime.archive.cluster.tries import SUFFIX as TRIES_SUFFIX
from dcrnet_runtime.errors import DcrnetError

# Readers of Parquet folders pass over names that begin so.
_MANIFEST, _FAILED = "_run.json", "_failed.jsonl"
_VERSION = 1


class PartsFolder:
    """Where parts are written.

    Args:
        address: a path or ``s3://BUCKET/KEY``.
    """

    def __init__(self, address: str) -> None:
        self._folder = Folder(address)
        self.address = self._folder.address

    def begin(
        self, photos: PhotoList, workers: int, settings: Mapping[str, Any], *, resumes: bool
    ) -> list[PhotoPart]:
        """The parts of a run.

        Args:
            photos: that it is about.
            workers: that there will be.
            settings: JSON values that answers depend on.
            resumes: whether it may go on with what is there.

        Raises:
            DcrnetError: something is there and may not be gone on with, or of another run; or the
                folder cannot be written.
        """
        names = self._folder.names()
        told = {"version": _VERSION, "photos": photos.sha256, "settings": dict(settings)}
        told = json.loads(json.dumps(told))
        if _MANIFEST in names and resumes:
            before = self._manifest()
            self._check(before, told)
            self._folder.remove_begun(TRIES_SUFFIX)
            return photos.parts(int(before["part_photos"]))
        if any(name == _MANIFEST or name.endswith(".parquet") for name in names):
            remedy = (
                f"there is no {_MANIFEST} to go on by: name another folder"
                if resumes
                else "give `resume` to go on, or name another folder"
            )
            raise DcrnetError(f"{self.address} holds parts already: {remedy}")
        size = photos.part_size(workers)
        self._folder.make()
        text = json.dumps({**told, "part_photos": size}, indent=1)
        self._folder.write(_MANIFEST, text.encode())
        return photos.parts(size)

    def done(self, parts: Sequence[PhotoPart]) -> dict[int, PartCounts]:
        """How the photos of those parts came out that are there, by their numbers.

        Left out, to be answered again as a whole, are parts of which a photo could not be read or
        was changed since.

        Raises:
            DcrnetError: one cannot be read.
        """
        names = self._folder.names()
        done = {}
        for part in parts:
            if part.name in names:
                counts = part_counts(self._folder.read(part.name), part.name)
                if not counts.failed and counts.photos_sha256 == part.sha256:
                    done[part.number] = counts
        return done

    def end(self, failed: Sequence[Failed]) -> str:
        """List what could not be read.

        Returns:
            where; empty where there is nothing to list.

        Raises:
            DcrnetError: it cannot be written.
        """
        if not failed and _FAILED not in self._folder.names():
            return ""
        lines = [f"{json.dumps(asdict(each))}\n" for each in failed]
        self._folder.write(_FAILED, "".join(lines).encode())
        return f"{self.address}/{_FAILED}" if failed else ""

    def _manifest(self) -> dict[str, Any]:
        try:
            told = dict(json.loads(self._folder.read(_MANIFEST)))
            if not isinstance(told["settings"], dict) or int(told["part_photos"]) < 1:
                raise ValueError("no settings")
        except (ValueError, TypeError, KeyError) as error:
            raise DcrnetError(
                f"{self.address}/{_MANIFEST} is none of a run: name another folder"
            ) from error
        return told

    def _check(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        if before.get("version") != now["version"]:
            what = "version of dcrnet-edge"
        elif before.get("photos") != now["photos"]:
            raise DcrnetError(
                f"the parts in {self.address} are of another list of photos: some were added"
                " or removed since. Give the same ones, or name another folder"
            )
        else:
            old, new = before["settings"], now["settings"]
            differing = sorted(n for n in {*old, *new} if old.get(n) != new.get(n))
            if not differing:
                return
            what = differing[0]
        raise DcrnetError(
            f"the parts in {self.address} were made with another {what}: go on with that one, or"
            " name another folder"
        )
