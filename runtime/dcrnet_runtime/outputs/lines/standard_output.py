"""JSON Lines on standard output."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.output import ReaderLeftError
from dcrnet_runtime.outputs.record import observation_record


class StandardOutput:
    """JSON Lines on standard output."""

    name = "stdout"
    takes_pixels = False

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        try:
            # Not through sys.stdout, whose lock a stuck reader would hold past the program's end.
            sys.stdout.flush()
            self._file: int | None = os.dup(sys.stdout.fileno())
        except (OSError, ValueError):  # replaced by something that is no file
            self._file = None

    def write(self, observation: Observation, unix_s: float) -> None:
        """One line."""
        record = observation_record(observation, unix_s if self._is_live else None)
        line = json.dumps(record) + "\n"
        if self._file is None:
            sys.stdout.write(line)
            return
        rest = memoryview(line.encode())
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
