"""The option of Parquet parts, which the workers of a cluster write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.spec import PANEL, OutputContext, OutputSpec

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.output import Output


@dataclass(frozen=True, slots=True)
class PartsSpec(OutputSpec):
    """Answers as a folder of Parquet files.

    Attributes:
        parts: the folder, or ``s3://BUCKET/KEY``; one row a face.
    """

    takes_pixels: ClassVar[bool] = False
    parts: Annotated[
        str | None,
        typer.Option(
            help="Folder of Parquet files that a cluster's workers write, with --engine ray; needs"
            " the ray extra.",
            metavar="DIR|s3://...",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def is_wanted(self) -> bool:
        return self.parts is not None

    def check(self) -> None:
        if self.parts is not None and not self._is_in_bucket and Path(self.parts).is_file():
            raise DcrnetError(f"`parts` {self.parts} is a file: name a folder")

    def kept(self, faces: str) -> str:
        return "" if self._is_in_bucket else f"parts in {self.parts}"

    def sent(self, faces: str) -> str:
        return f"parts to {self.parts}" if self._is_in_bucket else ""

    def open(self, context: OutputContext) -> Output:
        raise DcrnetError(
            f"`parts` {self.parts} is what a cluster writes: give `engine` ray, or `parquet` FILE"
        )

    @property
    def _is_in_bucket(self) -> bool:
        return self.parts is not None and self.parts.startswith("s3://")
