"""The one exception that carries a remedy to the person at the terminal."""

from __future__ import annotations


class DcrnetError(Exception):
    """What happened, why, and the next command, in one line.

    Raised for bad input or a missing piece, never for a defect of the package. The commands
    print it without a traceback and leave with :attr:`exit_code`.

    A message may name whole commands (``pip install --upgrade dcrnet-edge``), but an option of
    none: what the caller can change is named as the Python parameter that it is, in backticks, and
    :func:`dcrnet_runtime.cli.console.reported` puts the command's option there.
    """

    exit_code = 2


class SourceLostError(DcrnetError):
    """A source that had given frames is gone for good."""

    exit_code = 3
