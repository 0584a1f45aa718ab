"""Standard streams that may be closed, full or abandoned.

One rule for all commands: what standard error does not take is lost and changes nothing else;
standard output that does not take a command's answers is an error, unless its reader (head, say)
has left after it had some.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

_INPUT, _OUTPUT, _ERROR = 0, 1, 2
_EXIT_UNDELIVERED = 2


@contextmanager
def standard_streams() -> Generator[None]:
    """Replace the standard streams for a command that runs.

    Raises:
        SystemExit: standard output did not take everything.
    """
    closed = [number for number in (_INPUT, _OUTPUT, _ERROR) if not _is_open(number)]
    for _ in closed:  # else the next file that is opened gets the number, and what is printed
        os.open(os.devnull, os.O_RDWR)
    if _INPUT in closed:
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115  # for the rest of the process
    if sys.stdout is sys.__stdout__:  # not where a caller has its own
        sys.stdout = _ClosedOutput() if _OUTPUT in closed else _CountedText()
    if sys.stderr is sys.__stderr__:
        sys.stderr = _forgiving_text()
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if not is_of_output(error):
            raise
        raise SystemExit(undelivered(error)) from None


def is_of_output(error: OSError) -> bool:
    """Whether it is standard output that could not be written."""
    return getattr(sys.stdout, "error", None) is error


def undelivered(error: OSError) -> int:
    """Let go of what standard output did not take, and tell it; the exit code that is due."""
    has_something = isinstance(sys.stdout, _CountedText) and sys.stdout.raw.bytes_written > 0
    # Another file in its place, so that the interpreter's last flush works.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, _OUTPUT)
    os.close(nothing)
    if isinstance(error, BrokenPipeError) and has_something:
        return 0
    why = "its reader had left" if isinstance(error, BrokenPipeError) else error.strerror or error
    sys.stderr.write(f"error: standard output took no answer: {why}\n")
    return _EXIT_UNDELIVERED


class _CountedOutput(io.FileIO):
    """Knows how many bytes it has written, and what kept it from writing."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "wb", closefd=False)
        self.bytes_written = 0
        self.error: OSError | None = None

    def write(self, content: Buffer) -> int:
        try:
            written = super().write(content)
        except OSError as error:
            self.error = error
            raise
        self.bytes_written += written or 0
        return written


class _CountedText(io.TextIOWrapper):
    """Standard output over a raw file that counts."""

    def __init__(self) -> None:
        before, raw = sys.__stdout__, _CountedOutput(_OUTPUT)
        errors = before.errors if before else "strict"
        super().__init__(
            io.BufferedWriter(raw),
            encoding=before.encoding if before else "utf-8",
            errors="backslashreplace" if errors == "strict" else errors,
            line_buffering=raw.isatty(),
        )
        self.raw = raw

    @property
    def error(self) -> OSError | None:
        return self.raw.error


class _ForgivingOutput(io.FileIO):
    """Loses what it cannot write."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "wb", closefd=False)

    def write(self, content: Buffer) -> int:
        with suppress(OSError):
            return super().write(content)
        return memoryview(content).nbytes


class _ClosedOutput(io.TextIOBase):
    """Stands for a standard output that was closed when the program started."""

    error: OSError | None = None

    def writable(self) -> bool:
        return False

    def write(self, text: str) -> int:
        self.error = OSError("it is closed")
        raise self.error


def _forgiving_text() -> TextIO:
    before = sys.__stderr__
    encoding = before.encoding if before else "utf-8"
    buffered = io.BufferedWriter(_ForgivingOutput(_ERROR))
    return io.TextIOWrapper(buffered, encoding, "backslashreplace", line_buffering=True)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
