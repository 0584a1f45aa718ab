"""Outcomes as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table

from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.printable import printable

if TYPE_CHECKING:  # verify does without what exporting needs
    from dcrnet_export.checks.verification import Check
    from dcrnet_export.exporter import ExportedFile


def print_report(done: Sequence[ExportedFile]) -> None:
    """One row an artifact."""
    names = ("artefact", "MB", "max |dp|", "same labels", "accuracy lost", "verdict")
    table = Table(*(Column(name, overflow="fold") for name in names))
    for exported in done:
        table.add_row(*_row(exported))
    _print(table)


def print_checks(checks: Iterable[Check]) -> None:
    """One row a check."""
    table = Table(*(Column(name, overflow="fold") for name in ("check", "outcome", "finding")))
    for check in checks:
        table.add_row(check.name, check.outcome, printable(check.finding))
    _print(table)


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values."""
    table = Table(Column(overflow="fold"), Column(overflow="fold"), show_header=False)
    for name, value in rows:
        table.add_row(printable(name), printable(value))
    _print(table)


def _print(table: Table) -> None:
    # Names of files hold brackets, which rich would take for its markup.
    Console(markup=False, emoji=False).print(table)


def _row(exported: ExportedFile) -> list[str]:
    name, size = f"{exported.kind.precision} {exported.kind.format}", "-"
    if exported.path is not None:
        name, size = exported.path.name, f"{exported.path.stat().st_size / 1e6:.2f}"
    difference = agreement = "-"
    if (parity := exported.findings.parity) is not None:
        difference = f"{parity.largest:.1e}"
        agreement = f"{parity.agreement:.1%} of {parity.faces}"
    return [name, size, difference, agreement, _accuracy(exported), exported.problem or "ok"]


def _accuracy(exported: ExportedFile) -> str:
    from dcrnet_export.checks.accuracy import Verdict

    accuracy = exported.findings.accuracy
    if exported.kind.precision is Precision.FP32 or (exported.problem and accuracy is None):
        return "-"
    if accuracy is None:
        return "not shown (no --data)"
    if accuracy.verdict is Verdict.NOT_SHOWN:
        return f"not shown: {accuracy.describe()}"
    return f"{accuracy.describe()}; calibration error {accuracy.calibration_error:.3f}"
