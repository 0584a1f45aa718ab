"""The ways to a board."""

from __future__ import annotations

from collections.abc import Callable

from dcrnet_bench.boards.adb import PREFIX, AdbConnection
from dcrnet_bench.boards.connection import Connection
from dcrnet_bench.boards.ssh import SshConnection

CONNECTIONS: dict[str, Callable[[str], Connection]] = {
    PREFIX: AdbConnection.open,
    "": SshConnection.open,
}
"""By what a host's name begins with; the first that fits is taken."""


def connect(name: str) -> Connection:
    """The way to the board ``name``, tried.

    Raises:
        DcrnetError: it cannot be reached; says what to do.
    """
    return next(open_(name) for prefix, open_ in CONNECTIONS.items() if name.startswith(prefix))
