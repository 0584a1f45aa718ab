"""JSON Lines on standard output."""

from __future__ import annotations

import json
import os
import select
import sys
from contextlib import suppress

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.lines.line_file import write_line
from dcrnet_runtime.outputs.output import NotNowError, ReaderLeftError
from dcrnet_runtime.outputs.record import observation_record

_NO_READER = "the reader of standard output had left before the first line: nobody had an answer"


class StandardOutput:
    """JSON Lines on standard output.

    Raises:
        DcrnetError: it is closed, or nobody reads the pipe that it is.
    """

    name = "stdout"
    takes_pixels = False

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._has_written = False
        if sys.stdout is None or not sys.stdout.writable():
            raise DcrnetError("standard output is closed: name a file with `jsonl`")
        try:
            # Not through sys.stdout, whose lock a stuck reader would hold past the program's end.
            sys.stdout.flush()
            self._file: int | None = os.dup(sys.stdout.fileno())
        except (OSError, ValueError):  # replaced by something that is no file
            self._file = None
        if self._file is not None and _is_abandoned(self._file):
            raise DcrnetError(_NO_READER)

    def write(self, observation: Observation, unix_s: float) -> None:
        """One line."""
        record = observation_record(observation, unix_s if self._is_live else None)
        line = json.dumps(record)
        if self._file is None:
            sys.stdout.write(line + "\n")
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
                " file with `jsonl`"
            ) from error
        self._has_written = True

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
