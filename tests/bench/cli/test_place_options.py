"""Options that say where, and what they go with."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from dcrnet_bench.cli import bench as cli


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--python", "python3"], "--python says how a board measures: name one with --host"),
        (
            ["--benchmark-model", "b"],
            "--benchmark-model says how a board measures: name one with --host",
        ),
        (["--cpu", "cortex-a53"], "--cpu names an emulated core: add --emulate"),
        (["--emulate", "--host", "b"], "--emulate and --host are two places: use one of them"),
        (["--emulate"], "--emulate plays an ARM core: use --device arm with it"),
        (["--host", "-x"], "--host '-x' names no machine: give user@board or adb:SERIAL"),
    ],
)
def test_what_does_not_go_together_is_told(options: list[str], text: str) -> None:
    result = CliRunner().invoke(cli.app, options)
    assert (result.exit_code, result.stderr) == (2, f"error: {text}\n")
