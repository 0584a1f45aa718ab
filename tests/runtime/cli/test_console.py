"""How a command tells an error: options for parameters, and what the system said."""

from __future__ import annotations

import errno
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported
from dcrnet_runtime.errors import DcrnetError, SourceLostError


def told(error: Exception) -> tuple[int, str]:
    """Exit code and standard error of a command in which ``error`` happens."""
    app = command_app()

    @app.command()
    @reported(size_px="--size")
    def command(
        is_strict: Annotated[bool, typer.Option("--strict", help="")] = False,
        max_faces: Annotated[int, typer.Option(help="")] = 1,
        far: Annotated[bool, typer.Option("--far/--near", help="")] = False,
    ) -> None:
        raise error

    result = CliRunner().invoke(app, [])
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("leave `is_strict` out", "leave --strict out"),
        ("give fewer `max_faces`", "give fewer --max-faces"),
        ("not `far`", "not --far"),
        ("`size_px` is 3", "--size is 3"),
        ("`labels` are two", "labels are two"),
        ("a `b c` stays", "a `b c` stays"),
    ],
)
def test_a_parameter_is_told_as_the_option_it_is(message: str, line: str) -> None:
    assert told(DcrnetError(message)) == (2, f"error: {line}\n")


def test_a_lost_source_has_its_own_exit_code() -> None:
    assert told(SourceLostError("gone")) == (3, "error: gone\n")


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.ENOSPC, "No space left on device (/a): make room, and start again"),
        (errno.EACCES, "Permission denied (/a): name a place that you may read and write"),
        (errno.EIO, "Input/output error (/a)"),
    ],
)
def test_what_the_system_said_is_told_and_nothing_else(number: int, line: str) -> None:
    import os

    error = OSError(number, os.strerror(number), "/a")
    assert told(error) == (2, f"error: {line}\n")
