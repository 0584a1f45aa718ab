"""Rows that come one by one, on disk as they come: Arrow's stream format beside the table."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from dcrnet_runtime.outfile import unwritable

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".rows"


def stream_beside(path: Path) -> Path:
    """Where the rows of a table are that is not finished."""
    return path.with_name(f".{path.name}{SUFFIX}")


def stream_batches(path: Path) -> Generator[tuple[pa.RecordBatch, int]]:
    """The whole batches of a stream, each with the place in bytes where it ends.

    What a killed process had begun to write at the end is left out.

    Raises:
        OSError: it cannot be read.
    """
    import pyarrow as pa

    with path.open("rb") as file:
        try:
            with pa.ipc.open_stream(file) as reader:
                for batch in reader:
                    yield batch, file.tell()
        except (pa.ArrowInvalid, EOFError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise


class RowStream:
    """Appends batches of rows to a file.

    Args:
        path: of the file.
        schema: of the rows.
        kept_bytes: of what is there, the part that stays; 0 begins anew.

    Raises:
        DcrnetError: it cannot be written.
    """

    def __init__(self, path: Path, schema: pa.Schema, kept_bytes: int = 0) -> None:
        self.path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
            os.ftruncate(self._file, kept_bytes)
            os.lseek(self._file, kept_bytes, os.SEEK_SET)
            if not kept_bytes:
                _write(self._file, schema.serialize())
        except OSError as error:
            raise unwritable(path, error) from error

    def append(self, batch: pa.RecordBatch) -> None:
        """Add rows, all of them or none.

        Raises:
            DcrnetError: there is no room, say.
        """
        try:
            _write(self._file, batch.serialize())
        except OSError as error:
            raise unwritable(self.path, error) from error

    def close(self) -> None:
        """Let go of the file, which stays."""
        os.close(self._file)


def _write(file: int, content: pa.Buffer) -> None:
    rest, start = memoryview(content), os.lseek(file, 0, os.SEEK_CUR)
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError:
        os.ftruncate(file, start)
        os.lseek(file, start, os.SEEK_SET)
        raise
