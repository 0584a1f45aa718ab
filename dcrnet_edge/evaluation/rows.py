"""Tables of text, in the terminal and in Markdown."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

Rows = list[list[str]]
"""A header, then the rows."""


def print_rows(rows: Rows) -> None:
    """A table on standard output."""
    table = Table(*rows[0])
    for row in rows[1:]:
        table.add_row(*row)
    # Names of files hold brackets, which rich would take for its markup.
    Console(markup=False, emoji=False).print(table)


def markdown(rows: Rows) -> str:
    """The table as Markdown."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
