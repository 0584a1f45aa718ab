"""Lines on standard output."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.lines.line_file import write_line
from dcrnet_runtime.outputs.output import NotNowError, ReaderLeftError
from dcrnet_runtime.printable import printable

_NO_READER = "the reader of standard output had left before the first line: nobody had an answer"


class StandardOutput:
    """Standard output as a place for lines; a terminal is sent printable characters alone.

    Raises:
        DcrnetError: it is closed, or nobody reads the pipe that it is.
    """

    first_line = ""

    def __init__(self) -> None:
        self._is_terminal = self._has_written = False
        if sys.stdout is None or not sys.stdout.writable():
            raise DcrnetError("standard output is closed: name a file with `jsonl` or `csv`")
        try:
            self._is_terminal = sys.stdout.isatty()
            # Not through sys.stdout, whose lock a stuck reader would hold past the program's end.
            sys.stdout.flush()
            self._file: int | None = os.dup(sys.stdout.fileno())
        except (OSError, ValueError):  # replaced by something that is no file
            self._file = None
        if self._file is not None and _is_abandoned(self._file):
            raise DcrnetError(_NO_READER)

    def __str__(self) -> str:
        return "standard output"

    def write(self, line: str) -> None:
        """Write a line; its end is added.

        Raises:
            ReaderLeftError: nobody reads on.
            NotNowError: the disk is full, say.
            DcrnetError: its reader had left before the first line.
        """
        line = printable(line) if self._is_terminal else line
        if self._file is None:
            sys.stdout.write(f"{line}\n")
            return
        try:
            write_line(self._file, line)
        except BrokenPipeError as error:
            if not self._has_written:
                raise DcrnetError(_NO_READER) from error
            raise ReaderLeftError from error
        except OSError as error:
            raise NotNowError(
                f"standard output could not be written ({error.strerror}): make room, or name a"
                " file with `jsonl` or `csv`"
            ) from error
        self._has_written = True

    def position(self) -> None:
        """What has been said cannot be taken back."""

    def close(self, *, is_whole: bool) -> None:
        """Let go of standard output."""
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)


def _is_abandoned(file: int) -> bool:
    """Whether it is a pipe that nobody reads."""
    poll = select.poll()
    poll.register(file, 0)
    return any(happened & select.POLLERR for _, happened in poll.poll(0))
