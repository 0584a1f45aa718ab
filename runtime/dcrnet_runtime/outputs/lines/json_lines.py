"""JSON Lines, one object a frame."""

from __future__ import annotations

import json

from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.lines.line_file import Lines
from dcrnet_runtime.outputs.record import observation_record


class JsonLines:
    """An object for each frame.

    Args:
        lines: where they go.
        is_live: whether the source goes on by itself, so that its frames have a time of day.
        name: of the output, in errors and counters.
    """

    takes_pixels = False

    def __init__(self, lines: Lines, *, is_live: bool, name: str = "jsonl") -> None:
        self.name = name
        self._is_live = is_live
        self._lines = lines

    def write(self, observation: Observation, unix_s: float) -> None:
        """One line."""
        record = observation_record(observation, unix_s if self._is_live else None)
        self._lines.write(json.dumps(record))

    def position(self) -> int | None:
        """How many bytes the file has."""
        return self._lines.position()

    def close(self, *, is_whole: bool) -> None:
        """Finish the file."""
        self._lines.close(is_whole=is_whole)
