"""What the five commands share: errors as one line with exit code 2, and a word on the side."""

from __future__ import annotations

import errno
import functools
import logging
import re
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ParamSpec, TypeVar, get_type_hints, overload

import typer
from typer.models import OptionInfo

from dcrnet_runtime.cli.streams import is_of_output, undelivered
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.printable import printable
from dcrnet_runtime.redaction import redacted_text
from dcrnet_runtime.version import __version__

P = ParamSpec("P")
R = TypeVar("R")

EXIT_BAD_INPUT = 2
_PARAMETER = re.compile(r"`(\w+)`")


@overload
def reported(command: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def reported(**options: str) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def reported(
    command: Callable[P, R] | None = None, /, **options: str
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Turn :class:`DcrnetError` into one line on standard error and its exit code.

    A library's message names its own parameters in backticks, ```size_px```; the line has the
    command's options in their place. Those of the same name are found by themselves.

    Args:
        command: to wrap; None where ``options`` are given.
        options: what other parameters are called here, such as ``size_px="--size"``.
    """
    if command is None:
        return functools.partial(_reported, options=options)
    return _reported(command, options)


def _reported(command: Callable[P, R], options: Mapping[str, str]) -> Callable[P, R]:
    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except DcrnetError as error:
            complain(_in_options(str(error), {**_options_of(command), **options}))
            raise typer.Exit(error.exit_code) from error
        except OSError as error:
            if is_of_output(error):
                raise typer.Exit(undelivered(error)) from error
            complain(_of_system(error))
            raise typer.Exit(EXIT_BAD_INPUT) from error
        except (MemoryError, RuntimeError) as error:
            if (lacking := _lacking(error)) is None:
                raise
            complain(lacking)
            raise typer.Exit(EXIT_BAD_INPUT) from error

    return run


def _lacking(error: Exception) -> str | None:
    """What the machine had too little of; None where that is not what happened."""
    if isinstance(error, MemoryError):
        return "there is not enough memory: end other programs, or ask for less at once"
    if "can't start new thread" in str(error):
        return "no more threads can be started: raise the limit of processes (ulimit -u)"
    return None


def _in_options(message: str, options: Mapping[str, str]) -> str:
    return _PARAMETER.sub(lambda found: options.get(found[1], found[1]), message)


def _options_of(command: Callable[..., Any]) -> dict[str, str]:
    """What each parameter of a command is called on the command line."""
    names = {}
    for name, hint in get_type_hints(command, include_extras=True).items():
        for info in getattr(hint, "__metadata__", ()):
            if isinstance(info, OptionInfo):
                # In an annotation the first name stands where a default would.
                declared = [info.default, *(info.param_decls or ()), f"--{name.replace('_', '-')}"]
                options = [o for o in declared if isinstance(o, str) and o.startswith("--")]
                names[name] = options[0].partition("/")[0]
    return names


def _of_system(error: OSError) -> str:
    """What the system said, and what to do about it where that is known."""
    where = f" ({redacted_text(str(error.filename))})" if error.filename else ""
    remedies = {
        errno.ENOSPC: ": make room, and start again",
        errno.EDQUOT: ": make room, and start again",
        errno.EFBIG: ": write to a file system that takes larger files",
        errno.EACCES: ": name a place that you may read and write",
        errno.EROFS: ": name a place that can be written",
        errno.EMFILE: ": raise the limit of open files (ulimit -n)",
    }
    return f"{error.strerror or error}{where}{remedies.get(error.errno or 0, '')}"


def complain(text: str) -> None:
    """One line on standard error, of printable characters."""
    sys.stderr.write(f"error: {printable(text)}\n")


def note(text: str) -> None:
    """One line of information on standard error; standard output is for results."""
    sys.stderr.write(f"{printable(text)}\n")


def note_logs() -> None:
    """Show what is logged, by us and by libraries, as notes that hold no address's secrets."""
    logging.basicConfig(format="%(levelname)s: %(message)s", handlers=[_Noting()])


class _Noting(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # Not to a stream of its own: where a progress bar is shown, standard error is replaced.
        note(redacted_text(self.format(record)))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dcrnet-edge {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
]
