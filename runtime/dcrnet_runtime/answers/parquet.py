"""Answers in Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.answers.reading import PLACES, PREFIX
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command

if TYPE_CHECKING:
    import pandas as pd


def parquet_frame(path: Path) -> tuple[pd.DataFrame, tuple[str, ...], dict[str, Any]]:
    """The rows, the labels, and what the file says of itself.

    Args:
        path: a file, or a folder of parts.

    Raises:
        DcrnetError: pyarrow is missing, or a file holds something else or is of another model
            than the others.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise DcrnetError(f"{path} is Parquet: {extra_command('parquet')}") from error
    from dcrnet_runtime.outputs.tables.columns import ANSWERS, TABLE_SCHEMA
    from dcrnet_runtime.outputs.tables.table_files import check_alike, opened, told

    paths = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not paths:
        raise DcrnetError(f"{path} is a folder without Parquet files: name a file of answers")
    files = [opened(each) for each in paths]
    first = files[0].schema_arrow
    found = told(first)
    labels = tuple(found.get("labels", ()))
    wanted = [*PLACES, *(f"{PREFIX}{label}" for label in labels)]
    is_ours = (found.get("schema"), found.get("kind")) == (TABLE_SCHEMA, ANSWERS)
    if not is_ours or not set(wanted) <= set(first.names):
        holds = "features, which numpy and pandas read" if found.get("kind") else "other columns"
        raise DcrnetError(
            f"{paths[0]} holds {holds}, no answers that are known here: name a file that --parquet"
            " wrote"
        )
    for each, file in zip(paths[1:], files[1:], strict=True):
        check_alike(each, file.schema_arrow, first)
    try:
        table = pa.concat_tables([file.read(wanted) for file in files])
    except (pa.ArrowException, OSError) as error:
        raise DcrnetError(f"{path} is damaged ({error}): write it again") from error
    return table.to_pandas(), labels, found
