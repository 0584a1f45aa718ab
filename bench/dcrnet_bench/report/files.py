"""Reports as files."""

from __future__ import annotations

import os
from pathlib import Path

from dcrnet_bench.report.report import Report
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside


def check_writable(path: Path) -> None:
    """Make sure that ``path`` can be written before minutes are spent on measuring.

    Raises:
        DcrnetError: it cannot.
    """
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise DcrnetError(
            f"`json_file` {path} cannot be written: name a file in a writable folder"
        )


def write(report: Report, path: Path) -> None:
    """Write the JSON object to ``path``.

    Raises:
        DcrnetError: the folder cannot be written.
    """
    with written_beside(path) as beside:
        beside.write_text(report.to_json() + "\n")


def read(path: Path) -> Report:
    """The report in the last line of a file.

    Raises:
        DcrnetError: the file cannot be read, or its last line is no report.
    """
    try:
        lines = path.read_text().strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise DcrnetError(f"{path} cannot be read ({reason}): {_REMEDY}") from error
    try:
        return Report.from_json(lines[-1] if lines else "")
    except ValueError as error:
        raise DcrnetError(f"{path} is no report of dcrnet-bench ({error}): {_REMEDY}") from error


_REMEDY = "name a file that dcrnet-bench --json of this version wrote"
