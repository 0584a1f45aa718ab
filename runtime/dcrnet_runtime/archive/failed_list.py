"""The items that could not be read, one JSON object a line."""

from __future__ import annotations

import json
import os
from pathlib import Path

from dcrnet_runtime.archive.item import Item
from dcrnet_runtime.outfile import unwritable
from dcrnet_runtime.outputs.lines.line_file import write_line

SUFFIX = ".failed.jsonl"


class FailedList:
    """Grows as items fail; there is no file where none did.

    Args:
        path: of the list. What an earlier run had written there is removed.

    Raises:
        DcrnetError: it cannot be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error

    def add(self, item: Item, why: str) -> None:
        """Note an item.

        Raises:
            DcrnetError: the list cannot be written.
        """
        line = json.dumps({"path": item.key, "source": item.name, "reason": why})
        try:
            if self._file < 0:
                self._file = os.open(
                    self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666
                )
            write_line(self._file, line)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
