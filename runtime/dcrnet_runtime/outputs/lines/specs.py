"""The options of JSON Lines and CSV, either of which may go to standard output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from dcrnet_runtime.outputs.spec import PANEL, FrameFacts, OutputContext, OutputSpec

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.lines.line_file import Lines
    from dcrnet_runtime.outputs.output import Output

STANDARD_OUTPUT = "-"
UNLESS_TAKEN = ""
_NAMES = frozenset({STANDARD_OUTPUT, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})
_DEPTH = 256  # lines that wait for a slow output


@dataclass(frozen=True, slots=True)
class JsonLinesSpec(OutputSpec):
    """JSON Lines on standard output or in a file.

    Attributes:
        jsonl: the file, ``-`` for standard output, None for neither; empty for standard output
            unless another output goes there.
    """

    takes_pixels: ClassVar[bool] = False
    resumes: ClassVar[str] = "jsonl"
    jsonl: Annotated[
        str | None,
        typer.Option(
            help="Where JSON Lines go, - being standard output; default: -, unless CSV goes"
            " there.",
            metavar="FILE",
            rich_help_panel=PANEL,
            show_default=False,
        ),
    ] = UNLESS_TAKEN

    @property
    def is_wanted(self) -> bool:
        return self.jsonl is not None

    @property
    def standard_output(self) -> str:
        return "jsonl" if self.jsonl in {UNLESS_TAKEN, *_NAMES} else ""

    @property
    def yields(self) -> bool:
        return self.jsonl == UNLESS_TAKEN

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        if self.jsonl is None or self.standard_output:
            return []
        return [("jsonl", Path(self.jsonl))]

    def extent(self) -> int:
        return _size(Path(str(self.jsonl)))

    def kept(self, faces: str) -> str:
        return "" if self.standard_output else f"jsonl {self.jsonl}"

    def open(self, context: OutputContext) -> Output:
        from dcrnet_runtime.outputs.lines.json_lines import JsonLines
        from dcrnet_runtime.outputs.worker import queued

        is_live = context.facts.is_live
        lines = _lines(Path(str(self.jsonl)), context, self)
        name = "stdout" if self.standard_output else "jsonl"
        return queued(JsonLines(lines, is_live=is_live, name=name), context, _DEPTH)


@dataclass(frozen=True, slots=True)
class CsvSpec(OutputSpec):
    """CSV in a file or on standard output.

    Attributes:
        csv: the file, ``-`` for standard output; one row a face.
    """

    takes_pixels: ClassVar[bool] = False
    resumes: ClassVar[str] = "csv"
    csv: Annotated[
        Path | None,
        typer.Option(
            help="One row a face; - is standard output, in place of JSON Lines.",
            metavar="FILE",
            rich_help_panel=PANEL,
        ),
    ] = None

    @property
    def is_wanted(self) -> bool:
        return self.csv is not None

    @property
    def standard_output(self) -> str:
        return "csv" if str(self.csv) in _NAMES else ""

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        return [] if self.csv is None or self.standard_output else [("csv", self.csv)]

    def extent(self) -> int:
        return _size(Path(str(self.csv)))

    def kept(self, faces: str) -> str:
        return "" if self.standard_output else f"csv {self.csv}"

    def open(self, context: OutputContext) -> Output:
        from dcrnet_runtime.outputs.lines.csv_rows import CsvRows
        from dcrnet_runtime.outputs.worker import queued

        assert self.csv is not None
        facts = context.facts
        lines = _lines(self.csv, context, self)
        return queued(CsvRows(lines, facts.labels, is_live=facts.is_live), context, _DEPTH)


def _lines(path: Path, context: OutputContext, spec: OutputSpec) -> Lines:
    from dcrnet_runtime.outputs.lines.line_file import LineFile
    from dcrnet_runtime.outputs.lines.standard_output import StandardOutput

    if spec.standard_output:
        return StandardOutput()
    position = context.position_of(spec.resumes)
    return LineFile(path, appends=context.facts.is_live, position=position)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
