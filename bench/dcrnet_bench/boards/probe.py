"""What a board is, before anything is sent to it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from dcrnet_bench.boards.connection import Connection
from dcrnet_bench.host.word_size import require_64_bits
from dcrnet_runtime.errors import DcrnetError

_OLDEST = (3, 11)
_ASK = (
    "import json, platform, struct, sys; print(json.dumps([list(sys.version_info[:2]),"
    " platform.machine(), 8 * struct.calcsize('P')]))"
)


@dataclass(frozen=True, slots=True)
class Board:
    """A board that can measure.

    Attributes:
        machine: architecture, by its kernel.
        python: that runs there; empty where it has none.
    """

    machine: str
    python: str


def probe(connection: Connection, python: str) -> Board:
    """Ask a board what it is.

    Args:
        connection: to it.
        python: interpreter to use there; empty for the system's own.

    Raises:
        DcrnetError: it has a 32-bit system, or ``python`` is none or too old.
    """
    name = connection.name
    machine, bits = (*connection.run("uname -m; getconf LONG_BIT").text.split(), "")[:2]
    require_64_bits(name, machine, int(bits) if bits.isdigit() else 64)
    asked = connection.run(f"{shlex.quote(python or 'python3')} -c {shlex.quote(_ASK)}")
    if asked.code:
        if python:
            raise DcrnetError(
                f"`python` {python} is no interpreter on {name} ({asked.reason}): name one there"
            )
        return Board(machine, "")
    version, machine, bits_of_python = json.loads(asked.text.splitlines()[-1])
    require_64_bits(name, machine, bits_of_python)
    if tuple(version) < _OLDEST:
        raise DcrnetError(
            f"`host` {name} has Python {'.'.join(map(str, version))}: dcrnet-edge needs 3.11 or"
            " later; install it there, and name it with `python`"
        )
    return Board(machine, python or "python3")
