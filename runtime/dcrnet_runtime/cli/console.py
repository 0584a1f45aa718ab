"""What the five commands share: options, and errors as one line with exit code 2."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Annotated, ParamSpec, TypeVar

import typer
from typer.core import TyperGroup

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.version import __version__

P = ParamSpec("P")
R = TypeVar("R")

EXIT_BAD_INPUT = 2


def command_app(group: type[TyperGroup] | None = None) -> typer.Typer:
    """A typer application without shell-completion options and framed tracebacks.

    Args:
        group: how several commands are told apart; None is typer's way.
    """
    return typer.Typer(cls=group, add_completion=False, pretty_exceptions_enable=False)


def reported(command: Callable[P, R]) -> Callable[P, R]:
    """Turn :class:`DcrnetError` into one line on standard error and its exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except DcrnetError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from error
        except BrokenPipeError as error:
            # The reader of our output (head, say) has left: nothing is wrong. Standard output
            # is replaced so that the interpreter's last flush does not fail.
            sys.stdout = None
            raise typer.Exit(0) from error
        except OSError as error:
            complain(f"{error.strerror or error}: is the disk full, or an output closed?")
            raise typer.Exit(EXIT_BAD_INPUT) from error

    return run


def complain(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"error: {text}\n")


def note(text: str) -> None:
    """One line of information on standard error; standard output is for results."""
    sys.stderr.write(f"{text}\n")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dcrnet-edge {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
]
