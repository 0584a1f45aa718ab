"""Lines on standard output."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from dcrnet_runtime.outputs.lines.line_file import encoded
from dcrnet_runtime.outputs.output import ReaderLeftError
from dcrnet_runtime.printable import printable


class StandardOutput:
    """Standard output as a place for lines; a terminal is sent printable characters alone."""

    first_line = ""

    def __init__(self) -> None:
        self._is_terminal = False
        try:
            self._is_terminal = sys.stdout.isatty()
            # Not through sys.stdout, whose lock a stuck reader would hold past the program's end.
            sys.stdout.flush()
            self._file: int | None = os.dup(sys.stdout.fileno())
        except (AttributeError, OSError, ValueError):  # replaced by something that is no file
            self._file = None

    def __str__(self) -> str:
        return "standard output"

    def write(self, line: str) -> None:
        """Write a line; its end is added.

        Raises:
            ReaderLeftError: nobody reads on.
        """
        line = printable(line) if self._is_terminal else line
        if self._file is None:
            sys.stdout.write(f"{line}\n")
            return
        rest = memoryview(encoded(line))
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except BrokenPipeError as error:
            raise ReaderLeftError from error

    def close(self, *, is_whole: bool) -> None:
        """Let go of standard output."""
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
