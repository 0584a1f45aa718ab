"""Finished tables: Parquet files, and matrices as NumPy keeps them."""

from __future__ import annotations

import io
import json
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.tables.columns import FEATURE_COLUMN, METADATA_KEY

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 16_384
"""Rows of a Parquet file that are held in memory at a time."""

_ALIKE = ("schema", "kind", "labels", "model_sha256", "settings")
"""What all rows of a file have in common."""


class TableFile(Protocol):
    """A kind of finished table."""

    def rows(self, path: Path) -> int:
        """How many it has.

        Raises:
            DcrnetError: it cannot be read.
        """

    def batches(self, path: Path, schema: pa.Schema) -> Generator[pa.RecordBatch]:
        """Its rows, to be written on with others.

        Raises:
            DcrnetError: it cannot be read, or has another schema.
        """

    def write(self, path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Write rows, holding few of them in memory.

        Raises:
            OSError: there is no room, say.
        """


class ParquetFile:
    """Row groups of columns, compressed by Zstandard."""

    def rows(self, path: Path) -> int:
        return opened(path).metadata.num_rows

    def batches(self, path: Path, schema: pa.Schema) -> Generator[pa.RecordBatch]:
        file = opened(path)
        check_alike(path, file.schema_arrow, schema)
        yield from file.iter_batches(GROUP_ROWS)

    def write(self, path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for group in _groups(batches):
                writer.write_table(pa.Table.from_batches(group, schema))


class MatrixFile:
    """(faces, C) float32, which ``numpy.load`` reads; of the columns it has the features alone."""

    def rows(self, path: Path) -> int:
        return len(_mapped(path))

    def batches(self, path: Path, schema: pa.Schema) -> Generator[pa.RecordBatch]:
        raise DcrnetError(
            f"{path} cannot be gone on with, since it does not say whose features it has: name a"
            " .parquet file, or move it away"
        )
        yield  # of no rows

    def write(self, path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        width = schema.field(FEATURE_COLUMN).type.list_size
        rows = 0
        with path.open("wb") as file:
            room = len(_header(0, width))
            file.write(bytes(room))
            for batch in batches:
                values = batch.column(FEATURE_COLUMN).flatten().to_numpy()
                file.write(values.astype("<f4").tobytes())
                rows += batch.num_rows
            file.seek(0)
            file.write(_header(rows, width))


def opened(path: Path) -> Any:
    """A Parquet file.

    Raises:
        DcrnetError: it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except OSError as error:
        raise DcrnetError(f"{path} cannot be read: {error.strerror or error}") from error
    except pa.ArrowException as error:
        raise DcrnetError(
            f"{path} is no Parquet file, or damaged: name one that `parquet` wrote"
        ) from error


def told(schema: pa.Schema) -> dict[str, Any]:
    """What a table says of itself; empty for one of somebody else's."""
    try:
        found = json.loads((schema.metadata or {}).get(METADATA_KEY, b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def check_alike(path: Path, found: pa.Schema, wanted: pa.Schema) -> None:
    """Refuse to mix the rows of two models, settings or schemas in one file.

    Raises:
        DcrnetError: they are not of one kind.
    """
    before, now = told(found), told(wanted)
    other = [name for name in _ALIKE if before.get(name) != now.get(name)]
    if not other and found.equals(wanted):
        return
    names = {"model_sha256": "another model", "settings": "other settings"}
    what = names.get(other[0], "another schema") if other else "another schema"
    raise DcrnetError(
        f"{path} holds rows of {what}, which are not mixed: name another file, or move it away"
    )


def _groups(batches: Iterable[pa.RecordBatch]) -> Generator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        group.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            yield group
            group, rows = [], 0
    if group:
        yield group


def _header(rows: int, width: int) -> bytes:
    """Of as many bytes whatever the number of rows: it is known last."""
    header = io.BytesIO()
    described = {"descr": "<f4", "fortran_order": False, "shape": (rows, width)}
    np.lib.format.write_array_header_1_0(header, described)
    return header.getvalue()


def _mapped(path: Path) -> Any:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DcrnetError(f"{path} is no NumPy array: name another file") from error
