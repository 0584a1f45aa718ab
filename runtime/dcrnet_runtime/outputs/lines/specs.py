"""The options of JSON Lines and CSV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.outputs.spec import PANEL, FrameFacts, OutputContext, OutputSpec

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.output import Output

STANDARD_OUTPUT = "-"
_DEPTH = 256  # lines that wait for a slow output


@dataclass(frozen=True, slots=True)
class JsonLinesSpec(OutputSpec):
    """JSON Lines on standard output or in a file.

    Attributes:
        jsonl: the file, ``-`` for standard output, None for neither.
    """

    jsonl: Annotated[
        str | None,
        typer.Option(
            help="Where JSON Lines go, - being standard output.",
            metavar="FILE",
            rich_help_panel=PANEL,
        ),
    ] = STANDARD_OUTPUT

    @property
    def is_wanted(self) -> bool:
        return self.jsonl is not None

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        is_file = self.jsonl not in (None, STANDARD_OUTPUT)
        return [("jsonl", Path(str(self.jsonl)))] if is_file else []

    def kept(self, faces: str) -> str:
        return "" if self.jsonl == STANDARD_OUTPUT else f"jsonl {self.jsonl}"

    def open(self, context: OutputContext) -> Output:
        from dcrnet_runtime.outputs.lines.json_lines import JsonLines
        from dcrnet_runtime.outputs.lines.standard_output import StandardOutput
        from dcrnet_runtime.outputs.worker import queued

        is_live = context.facts.is_live
        if self.jsonl == STANDARD_OUTPUT:
            return queued(StandardOutput(is_live=is_live), context, _DEPTH)
        return queued(JsonLines(Path(str(self.jsonl)), is_live=is_live), context, _DEPTH)


@dataclass(frozen=True, slots=True)
class CsvSpec(OutputSpec):
    """A CSV file.

    Attributes:
        csv: its path; one row a face.
    """

    csv: Annotated[
        Path | None,
        typer.Option(help="One row a face.", metavar="FILE", rich_help_panel=PANEL),
    ] = None

    @property
    def is_wanted(self) -> bool:
        return self.csv is not None

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        return [] if self.csv is None else [("csv", self.csv)]

    def kept(self, faces: str) -> str:
        return f"csv {self.csv}"

    def open(self, context: OutputContext) -> Output:
        from dcrnet_runtime.outputs.lines.csv_rows import CsvRows
        from dcrnet_runtime.outputs.worker import queued

        assert self.csv is not None
        facts = context.facts
        return queued(CsvRows(self.csv, facts.labels, is_live=facts.is_live), context, _DEPTH)
