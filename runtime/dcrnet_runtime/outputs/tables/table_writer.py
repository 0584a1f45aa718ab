"""A table that is written row by row and finished at the end."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.outputs.output import NotNowError
from dcrnet_runtime.outputs.tables.columns import Columns
from dcrnet_runtime.outputs.tables.row_stream import RowStream, stream_batches, stream_beside
from dcrnet_runtime.outputs.tables.table_files import TableFile, check_alike

if TYPE_CHECKING:
    import pyarrow as pa

_FLUSH_ROWS, _FLUSH_S = 1024, 10.0  # whichever comes first: more would be lost by a kill


class TableWriter:
    """Rows go to a stream beside the table as they come, and into the table when it is closed.

    So a killed process loses none that :meth:`position` has counted, whatever the table's own
    format needs to know before it can be read.

    Args:
        name: of the output.
        path: of the table.
        file: its kind.
        columns: of its rows.
        position: of a table that a later run goes on with, how many of its rows stay; None for
            one that is replaced.
        is_live: whether the source goes on by itself, so that its frames have a time of day.

    Raises:
        DcrnetError: the place cannot be written, or holds rows of another model or schema.
    """

    takes_pixels = False

    def __init__(
        self,
        name: str,
        path: Path,
        file: TableFile,
        columns: Columns,
        *,
        position: int | None,
        is_live: bool,
    ) -> None:
        self.name = name
        self._path, self._file, self._columns = path, file, columns
        self._stays = position is not None
        self._is_live = is_live
        self._rows: list[tuple[Any, ...]] = []
        self._error: DcrnetError | None = None
        self._flushed_s = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DcrnetError(f"{path.parent} cannot be made: {error.strerror}") from error
        if path.is_dir():
            raise DcrnetError(f"{path} is a folder: name a file in it")
        self._written = position or 0
        self._stream = self._opened(self._written)

    def write(self, observation: Observation, unix_s: float) -> None:
        """Add a row for each face.

        Raises:
            NotNowError: there is no room, say; the rows since the last ones on disk are lost.
        """
        if self._error is not None:
            raise self._error
        self._rows += self._columns.rows(observation, unix_s if self._is_live else None)
        is_late = time.monotonic() - self._flushed_s >= _FLUSH_S
        if len(self._rows) >= _FLUSH_ROWS or is_late:
            try:
                self._flush()
            except DcrnetError as error:
                self._rows.clear()
                raise NotNowError(str(error)) from error

    def position(self) -> int | None:
        """How many rows are on disk."""
        try:
            self._flush()
        except DcrnetError as error:
            self._error = error
            return None
        return self._written

    def close(self, *, is_whole: bool) -> None:
        """Make the table of the rows.

        One that a later run can go on with keeps what there is; else one that is not whole is
        removed, and an older one in its place stays.

        Raises:
            DcrnetError: there is no room, say: then the rows stay where they are, if a later run
                can go on with them.
        """
        try:
            if self._error is None:
                self._flush()
        finally:
            self._stream.close()
            if not (self._stays or is_whole):
                self._stream.path.unlink(missing_ok=True)
        if not (self._stays or is_whole):
            return
        try:
            with written_beside(self._path) as beside:
                self._file.write(beside, self._columns.schema, self._batches())
        except DcrnetError:
            if not self._stays:
                self._stream.path.unlink(missing_ok=True)
            raise
        self._stream.path.unlink()

    def _flush(self) -> None:
        self._flushed_s = time.monotonic()
        if self._rows:
            import pyarrow as pa

            schema = self._columns.schema
            columns = zip(*self._rows, strict=True)
            arrays = [
                pa.array(list(values), field.type)
                for values, field in zip(columns, schema, strict=True)
            ]
            self._stream.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
            self._written += len(self._rows)
            self._rows.clear()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        return (batch for batch, _ in stream_batches(self._stream.path))

    def _opened(self, rows: int) -> RowStream:
        """The stream with so many rows, of one that is there or of the finished table."""
        path, schema = stream_beside(self._path), self._columns.schema
        if not rows:
            return RowStream(path, schema)
        if path.exists():
            last, end = _cut(path, schema, rows)
            stream = RowStream(path, schema, end)
            if last is not None:
                stream.append(last)
            return stream
        stream = RowStream(path, schema)
        try:
            for batch in _first(self._file.batches(self._path, schema), rows):
                stream.append(batch)
        except DcrnetError:
            stream.close()
            path.unlink()
            raise
        return stream


def table_rows(path: Path, file: TableFile) -> int:
    """How many rows there are of a table, finished or not; 0 where there is none.

    Raises:
        DcrnetError: it cannot be read.
    """
    stream = stream_beside(path)
    if stream.is_file():
        with suppress(OSError):
            return sum(batch.num_rows for batch, _ in stream_batches(stream))
    return file.rows(path) if path.is_file() else 0


def _cut(path: Path, schema: pa.Schema, rows: int) -> tuple[pa.RecordBatch | None, int]:
    """Where a stream has so many rows: the part of a batch that is behind it, and the place."""
    end, left = 0, rows
    for batch, place in stream_batches(path):
        check_alike(path, batch.schema, schema)
        if batch.num_rows > left:
            return batch.slice(0, left) if left else None, end
        end, left = place, left - batch.num_rows
        if not left:
            return None, end
    raise DcrnetError(f"{path} has lost {left} rows: move it away, and begin anew")


def _first(batches: Iterator[pa.RecordBatch], rows: int) -> Generator[pa.RecordBatch]:
    for batch in batches:
        part = batch.slice(0, rows)
        rows -= part.num_rows
        yield part
        if not rows:
            return
