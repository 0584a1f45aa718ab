"""The options of tables, which are files alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command
from dcrnet_runtime.outputs.spec import PANEL, FrameFacts, OutputContext, OutputSpec

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.output import Output
    from dcrnet_runtime.outputs.tables.columns import Columns
    from dcrnet_runtime.outputs.tables.table_files import TableFile

_DEPTH = 256  # frames that wait for a slow disk


@dataclass(frozen=True, slots=True)
class ParquetSpec(OutputSpec):
    """Answers as a Parquet file.

    Attributes:
        parquet: the file; one row a face.
    """

    takes_pixels: ClassVar[bool] = False
    resumes: ClassVar[str] = "parquet"
    parquet: Annotated[
        Path | None,
        typer.Option(
            help="One row a face, as data tools read it; needs the parquet extra.",
            metavar="FILE",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def is_wanted(self) -> bool:
        return self.parquet is not None

    def check(self) -> None:
        if self.parquet is not None:
            _check_file("parquet", self.parquet)

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        return [] if self.parquet is None else [("parquet", self.parquet)]

    def extent(self) -> int:
        return 0 if self.parquet is None else _extent("parquet", self.parquet)

    def kept(self, faces: str) -> str:
        return f"parquet {self.parquet}"

    def open(self, context: OutputContext) -> Output:
        assert self.parquet is not None
        _require_pyarrow("parquet")
        from dcrnet_runtime.outputs.tables.columns import answer_columns

        return _table("parquet", self.parquet, answer_columns(context.facts), context)


@dataclass(frozen=True, slots=True)
class FeaturesSpec(OutputSpec):
    """Features as a Parquet file or a matrix.

    Attributes:
        features: the file, ``.parquet`` or ``.npy``; one row a face.
    """

    takes_pixels: ClassVar[bool] = False
    resumes: ClassVar[str] = "features"
    needs_features: ClassVar[bool] = True
    features: Annotated[
        Path | None,
        typer.Option(
            help="What the network's head reads, one row a face: .parquet, or .npy for the matrix"
            " alone. Of a model that dcrnet-export --features wrote. Such vectors can help to"
            " recognise people again.",
            metavar="FILE",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def is_wanted(self) -> bool:
        return self.features is not None

    def check(self) -> None:
        if self.features is None:
            return
        if self.features.suffix not in (".parquet", ".npy"):
            raise DcrnetError(
                f"`features` {self.features} ends in neither .parquet nor .npy: name such a file"
            )
        _check_file("features", self.features)

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        return [] if self.features is None else [("features", self.features)]

    def extent(self) -> int:
        return 0 if self.features is None else _extent("features", self.features)

    def kept(self, faces: str) -> str:
        return f"features {self.features} (such vectors can help to recognise people again)"

    def open(self, context: OutputContext) -> Output:
        assert self.features is not None
        _require_pyarrow("features")
        from dcrnet_runtime.backends.model import no_features
        from dcrnet_runtime.outputs.tables.columns import feature_columns

        if not context.facts.feature_count:
            raise no_features("the model")
        return _table("features", self.features, feature_columns(context.facts), context)


def _table(option: str, path: Path, columns: Columns, context: OutputContext) -> Output:
    from dcrnet_runtime.outputs.tables.table_writer import TableWriter
    from dcrnet_runtime.outputs.worker import queued

    is_live = context.facts.is_live
    position = context.position_of(option)
    if position is None and is_live:  # a log survives restarts
        position = _extent(option, path)
    writer = TableWriter(option, path, _kind_of(path), columns, position=position, is_live=is_live)
    return queued(writer, context, _DEPTH)


def _extent(option: str, path: Path) -> int:
    from dcrnet_runtime.outputs.tables.table_writer import table_rows

    _require_pyarrow(option)
    return table_rows(path, _kind_of(path))


def _kind_of(path: Path) -> TableFile:
    from dcrnet_runtime.outputs.tables.table_files import MatrixFile, ParquetFile

    return MatrixFile() if path.suffix == ".npy" else ParquetFile()


def _check_file(option: str, path: Path) -> None:
    """Refuse what no table can be written to in one piece.

    Raises:
        DcrnetError: it is standard output, a device, or a pipe.
    """
    if str(path) == "-" or (path.exists() and not (path.is_file() or path.is_dir())):
        raise DcrnetError(
            f"`{option}` {path} is no file, which a table has to be: name a file (`jsonl` and"
            " `csv` write to standard output)"
        )


def _require_pyarrow(option: str) -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise DcrnetError(f"`{option}` needs pyarrow: {extra_command('parquet')}") from error
