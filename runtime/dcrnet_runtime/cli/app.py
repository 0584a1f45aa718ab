"""The five commands' typer applications, whose usage errors are one line as all errors are."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

from dcrnet_runtime.cli.console import EXIT_BAD_INPUT, complain
from dcrnet_runtime.cli.streams import standard_streams
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.redaction import redacted_text

# Click's, or typer's own copy of it: which one depends on typer's version.
_UsageError: Any = typer.BadParameter.__base__
_INTERRUPTED = 130


class PlainCommand(TyperCommand):
    """A command that tells a wrong option in one line and leaves with exit code 2."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Parse, run and exit."""
        return _run(super().main, args, extra, standalone_mode=standalone_mode)


class PlainGroup(TyperGroup):
    """Several commands, whose wrong options are told like those of one."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Parse, run and exit."""
        return _run(super().main, args, extra, standalone_mode=standalone_mode)


class CommandUnlessNamed(PlainGroup):
    """Takes arguments that begin with no command's name for those of the ``default`` one."""

    default: ClassVar[str]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command before them."""
        is_completed = ctx.resilient_parsing and not args  # a shell asks for the first word
        if is_completed or (args and args[0] in self.commands):
            return super().parse_args(ctx, args)
        return super().parse_args(ctx, [self.default, *args])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """What the first word may be: a command, or what the default one takes."""
        default = self.get_command(ctx, self.default)
        assert default is not None
        taken = default.make_context(self.default, [], parent=ctx, resilient_parsing=True)
        items = [
            *super().shell_complete(ctx, incomplete),
            *default.shell_complete(taken, incomplete),
        ]
        return list({each.value: each for each in items}.values())


class _App(typer.Typer):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with standard_streams():
            return super().__call__(*args, **kwargs)

    def command(self, name: str | None = None, **options: Any) -> Any:
        return super().command(name, **{"cls": PlainCommand, **options})


def command_app(
    group: type[TyperGroup] = PlainGroup, *, is_installed: bool = False
) -> typer.Typer:
    """A typer application without framed errors and tracebacks.

    Args:
        group: how several commands are told apart.
        is_installed: it has a script of its own, which a shell can complete the options of.
    """
    return _App(cls=group, add_completion=is_installed, pretty_exceptions_enable=False)


def _run(
    main: Callable[..., Any], args: Any, extra: dict[str, Any], *, standalone_mode: bool
) -> Any:
    if not standalone_mode:
        return main(*args, standalone_mode=False, **extra)
    try:
        code = main(*args, standalone_mode=False, **extra)
    except _UsageError as error:
        complain(usage_line(error, extra.get("prog_name") or Path(sys.argv[0]).name))
        code = EXIT_BAD_INPUT
    except DcrnetError as error:  # of options that come from elsewhere
        complain(str(error))
        code = error.exit_code
    except typer.Abort:
        complain("interrupted")
        code = _INTERRUPTED
    sys.exit(code or 0)


def usage_line(error: Any, program: str) -> str:
    """What is wrong with a command line, and the command that says what is right.

    Args:
        error: click's ``UsageError``; the values in it are shown without addresses' secrets.
        program: the command, where the error does not know it.
    """
    said = redacted_text(" ".join(error.format_message().split()))
    said = re.sub(r"^Invalid value for '([^']+)'", r"\1", said).rstrip(".")
    said = said[:1].lower() + said[1:] if said[1:2].islower() else said
    return f"{said}; {error.ctx.command_path if error.ctx else program} --help lists what there is"
