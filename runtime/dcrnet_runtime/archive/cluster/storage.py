"""Files and objects by their address: a path, or ``s3://BUCKET/KEY``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import MAX_FILE_BYTES, read_content

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_S3 = "s3://"
_BEGUN = ".tmp"
_CONNECT_S, _REQUEST_S = 5.0, 60.0


@dataclass(frozen=True, slots=True)
class Stored:
    """A file or object.

    Attributes:
        address: of it.
        size_bytes: of its content.
        modified_ns: when it was written last, since 1970.
    """

    address: str
    size_bytes: int
    modified_ns: int


def is_in_bucket(address: str) -> bool:
    """Whether an address is of an object store rather than a path."""
    return address.startswith(_S3)


def stored_content(address: str) -> bytes:
    """What is at an address.

    Raises:
        DcrnetError: it cannot be read, or is larger than any photo.
    """
    if not is_in_bucket(address):
        return read_content(Path(address))
    files, path = _place(address)
    with _reported("read", address), files.open_input_stream(path) as stream:
        content: bytes = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise DcrnetError(
            f"{address} has more than {MAX_FILE_BYTES >> 20} MB, as no photo has: remove it"
        )
    return content


def bucket_listing(address: str) -> list[Stored]:
    """The object at an address, or all whose keys lie below it, by their keys.

    Raises:
        DcrnetError: there is none, or the bucket cannot be looked into.
    """
    from pyarrow.fs import FileSelector, FileType

    files, path = _place(address)
    with _reported("listed", address):
        (about,) = files.get_file_info([path])
        if about.type is FileType.File:
            return [_stored(about)]
        found = files.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
    objects = [_stored(each) for each in found if each.type is FileType.File]
    if not objects:
        raise DcrnetError(f"{address} holds nothing: name an object, or what keys begin with")
    return sorted(objects, key=lambda each: each.address)


class Folder:
    """A folder or the keys below an address, where whole files appear under their names.

    Args:
        address: of it.

    Raises:
        DcrnetError: it is none.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/") or address
        if is_in_bucket(address):
            self._files, self._path = _place(self.address)
        else:
            self._files, self._path = _local(), os.path.abspath(address)  # noqa: PTH100

    def make(self) -> None:
        """Make it, where that is needed.

        Raises:
            DcrnetError: it cannot be.
        """
        if not is_in_bucket(self.address):
            with _reported("made", self.address):
                self._files.create_dir(self._path)

    def names(self) -> set[str]:
        """Of the files in it, without those that were begun.

        Raises:
            DcrnetError: it cannot be looked into.
        """
        return {each for each in self._all_names() if not each.endswith(_BEGUN)}

    def has(self, name: str) -> bool:
        """Whether there is such a file.

        Raises:
            DcrnetError: that cannot be told.
        """
        from pyarrow.fs import FileType

        with _reported("found", f"{self.address}/{name}"):
            (about,) = self._files.get_file_info([f"{self._path}/{name}"])
        return bool(about.type is FileType.File)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            DcrnetError: it cannot be.
        """
        with _reported("removed", f"{self.address}/{name}"), suppress(FileNotFoundError):
            self._files.delete_file(f"{self._path}/{name}")

    def remove_begun(self, suffix: str) -> None:
        """Remove what killed writers had begun, and the files that end so. Nobody may be writing.

        Raises:
            DcrnetError: it cannot be looked into.
        """
        for name in self._all_names():
            if name.endswith(suffix) or (name.startswith(".") and name.endswith(_BEGUN)):
                self.remove(name)

    def read(self, name: str) -> bytes:
        """A file.

        Raises:
            DcrnetError: it cannot be read.
        """
        with (
            _reported("read", f"{self.address}/{name}"),
            self._files.open_input_stream(f"{self._path}/{name}") as stream,
        ):
            content: bytes = stream.read()
            return content

    def write(self, name: str, content: bytes) -> None:
        """A file, whole or not at all, in the place of one of that name.

        Raises:
            DcrnetError: it cannot be written.
        """
        whole = f"{self._path}/{name}"
        # An object is there once all of it was sent; a file as soon as it is begun.
        begun = (
            whole if is_in_bucket(self.address) else f"{self._path}/.{name}.{uuid4().hex}{_BEGUN}"
        )
        with _reported("written", f"{self.address}/{name}"):
            with self._files.open_output_stream(begun) as stream:
                stream.write(content)
            if begun != whole:
                self._files.move(begun, whole)

    def _all_names(self) -> list[str]:
        from pyarrow.fs import FileSelector, FileType

        with _reported("listed", self.address):
            found = self._files.get_file_info(FileSelector(self._path, allow_not_found=True))
        return [each.base_name for each in found if each.type is FileType.File]


@contextmanager
def _reported(done: str, address: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        said = (getattr(error, "strerror", None) or str(error)).strip().partition("\n")[0]
        raise DcrnetError(f"{address} cannot be {done}: {said or type(error).__name__}") from error


def _stored(about: Any) -> Stored:
    return Stored(f"{_S3}{about.path}", about.size, about.mtime_ns or 0)


def _place(address: str) -> tuple[FileSystem, str]:
    parts = urlsplit(address)
    if "@" in parts.netloc or not parts.netloc:
        raise DcrnetError(
            "an address in a bucket is s3://BUCKET/KEY, without user and password: give those by"
            " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        )
    return _bucket(parts.netloc), address.removeprefix(_S3)


@cache
def _local() -> FileSystem:
    from pyarrow.fs import LocalFileSystem

    return LocalFileSystem()


@cache
def _bucket(name: str) -> FileSystem:
    """Where a bucket is, by the environment or by asking Amazon.

    Raises:
        DcrnetError: nobody knows.
    """
    from pyarrow.fs import S3FileSystem, resolve_s3_region

    times = {"connect_timeout": _CONNECT_S, "request_timeout": _REQUEST_S}
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    with _reported("found", f"{_S3}{name}"):
        if endpoint:
            parts = urlsplit(endpoint)
            return S3FileSystem(
                endpoint_override=parts.netloc,
                scheme=parts.scheme,
                region=region or "us-east-1",
                **times,
            )
        return S3FileSystem(region=region or resolve_s3_region(name), **times)
