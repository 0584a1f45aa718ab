"""Runs ``dcrnet-study``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from dcrnet_edge.studies.command import app


def study(*arguments: object) -> dict[str, Any]:
    """Its last line, of a study that is through."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def refused(*arguments: object, code: int = 2) -> str:
    """What it says of bad input, or of what else ends it with an exit code."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.stderr


def on(tree: Path) -> list[object]:
    """Options that name a tree of folders."""
    return ["--data", tree, "--dataset", "folders", "--shared-labels", "--workers", 1]
