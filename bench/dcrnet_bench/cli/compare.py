"""``dcrnet-bench compare``: a gate for continuous integration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.cli.console import VersionOption, reported

if TYPE_CHECKING:
    from dcrnet_bench.report.comparison import Change

EXIT_WORSE = 1


@reported
def compare(
    before: Annotated[Path, typer.Argument(metavar="A.json", help="The earlier run's --json.")],
    after: Annotated[Path, typer.Argument(metavar="B.json", help="The later run's.")],
    tolerance: Annotated[
        float, typer.Option(min=0, max=10, help="Least noise of times, as a share.")
    ] = 0.03,
    version: VersionOption = False,
) -> None:
    """Print what has changed between two runs; exit 1 where something is worse beyond noise."""
    import json
    from dataclasses import asdict

    from dcrnet_bench.report import comparison
    from dcrnet_bench.report.files import read

    changes = comparison.compare(read(before), read(after), tolerance)
    _show(changes)
    worse = [change for change in changes if change.verdict is comparison.Verdict.WORSE]
    typer.echo(json.dumps({"worse": len(worse), "changes": [asdict(each) for each in changes]}))
    if worse:
        raise typer.Exit(EXIT_WORSE)


def _show(changes: Sequence[Change]) -> None:
    from rich.table import Table

    from dcrnet_bench.cli.tables import console

    table = Table(title="Changes; beyond noise they are worse or better")
    table.add_column("of", overflow="fold")
    table.add_column("quantity")
    for heading in ("before", "after", "ratio", "noise", "is"):
        table.add_column(heading, justify="right")
    for each in changes:
        cells = (f"{each.before:,.4g}", f"{each.after:,.4g}", f"{each.ratio:.3f}")
        table.add_row(each.subject, each.quantity, *cells, f"{each.noise:.1%}", each.verdict)
    console().print(table)
