"""JSON Lines in a file."""

from __future__ import annotations

import json
from pathlib import Path

from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.lines.line_file import LineFile
from dcrnet_runtime.outputs.record import observation_record


class JsonLines:
    """JSON Lines in a file."""

    name = "jsonl"
    takes_pixels = False

    def __init__(self, path: Path, *, is_live: bool) -> None:
        self._is_live = is_live
        self._file = LineFile(path, appends=is_live)

    def write(self, observation: Observation, unix_s: float) -> None:
        """One line."""
        record = observation_record(observation, unix_s if self._is_live else None)
        self._file.write(json.dumps(record))

    def close(self, *, is_whole: bool) -> None:
        """Finish the file."""
        self._file.close(is_whole=is_whole)
