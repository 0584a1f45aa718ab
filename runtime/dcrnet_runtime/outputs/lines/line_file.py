"""Text files that always hold whole lines."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from dcrnet_runtime.outfile import PendingFile, unwritable
from dcrnet_runtime.outputs.output import NotNowError


class Lines(Protocol):
    """Where lines go; its text names the place."""

    first_line: str
    """What is there already, of lines that are appended to; without its end."""

    def write(self, line: str) -> None:
        """Append a line; its end is added."""

    def position(self) -> int | None:
        """How many bytes there are; None where nothing can go on later."""

    def close(self, *, is_whole: bool) -> None:
        """Finish; ``is_whole`` tells that every line was written."""


class LineFile:
    """Lines of a live source are appended as they come; those of a recording replace the file.

    A log survives restarts and can be followed while it grows; a recording's result appears
    under its name when it is whole, or grows there where it can be resumed. A device or named pipe
    is written to as it is.

    Args:
        path: where to write.
        appends: whether lines are added to those that are there.
        position: where a resumed file goes on, in bytes; what lies behind it is cut off. None for
            a file that is not to be resumed.

    Raises:
        DcrnetError: the place cannot be written, or a named pipe has no reader.
    """

    def __init__(self, path: Path, *, appends: bool, position: int | None = None) -> None:
        self._path = path
        self._pending: PendingFile | None = None
        self.first_line = ""
        """Of a file that lines are appended to, without its end."""
        try:
            if path.exists() and not path.is_file() and not path.is_dir():
                # Without a reader, the open of a named pipe would wait for one.
                self._file = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                os.set_blocking(self._file, True)
            elif position is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
                os.ftruncate(self._file, position)
                self._go_on()
            elif appends:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
                self._go_on()
            else:
                self._pending = PendingFile(path)
                create = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                self._file = os.open(self._pending.beside, create, 0o666)
        except OSError as error:
            raise unwritable(path, error) from error

    def __str__(self) -> str:
        return str(self._path)

    def write(self, line: str) -> None:
        """Append a line; its end is added.

        Raises:
            NotNowError: the disk is full, say, or a pipe has no reader at the moment; the file
                ends with the line before.
        """
        try:
            write_line(self._file, line)
        except BrokenPipeError as error:
            raise NotNowError(f"nobody reads {self._path} at the moment") from error
        except OSError as error:
            raise NotNowError(str(unwritable(self._path, error))) from error

    def position(self) -> int:
        """How many bytes there are."""
        return os.fstat(self._file).st_size

    def close(self, *, is_whole: bool) -> None:
        """Finish; a recording's file that is not whole is removed, unless it can be resumed.

        Raises:
            DcrnetError: the file cannot be renamed into place.
        """
        os.close(self._file)
        if self._pending is not None:
            if is_whole:
                self._pending.keep()
            self._pending.discard()

    def _go_on(self) -> None:
        """A line that a power cut left half written must not swallow the next one."""
        size = os.fstat(self._file).st_size
        # A spreadsheet that stored the file may have put a byte-order mark before it.
        with self._path.open(encoding="utf-8-sig", errors="replace") as lines:
            self.first_line = lines.readline().rstrip("\n")
        if size:
            os.lseek(self._file, size - 1, os.SEEK_SET)
            if os.read(self._file, 1) != b"\n":
                os.write(self._file, b"\n")


def write_line(file: int, line: str) -> None:
    """Write a line and its end to an open file, all of it or nothing.

    Raises:
        OSError: it cannot be written.
    """
    rest = memoryview(_encoded(line))
    start = os.fstat(file).st_size
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError:
        if os.fstat(file).st_size > start:
            os.ftruncate(file, start)
            with suppress(OSError):
                os.lseek(file, start, os.SEEK_SET)
        raise


def _encoded(line: str) -> bytes:
    """A line as UTF-8 with its end; bytes of a name that are no UTF-8 are written as escapes."""
    return f"{line}\n".encode(errors="backslashreplace")
