"""The way to a board: a shell there, and files to it.

Whatever carries the words, they are read by a POSIX shell with the usual small programs
(coreutils, busybox or Android's toybox).
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dcrnet_runtime.errors import DcrnetError

CONNECT_S = 15.0
"""What a connection may take to come about."""


class LostConnectionError(DcrnetError):
    """The board does not answer any more; it may again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script on the board gave.

    Attributes:
        code: its exit status.
        text: what it printed.
        complaint: what it, or what carried it, said beside.
    """

    code: int
    text: str
    complaint: str

    @property
    def reason(self) -> str:
        """Why it failed: the last line that was said."""
        lines = [line for line in f"{self.text}\n{self.complaint}".splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"exit status {self.code}, nothing said"


class Connection(Protocol):
    """A way to one board.

    Attributes:
        name: of the board, for people.
        temporary: its folder for temporary files.
    """

    @property
    def name(self) -> str: ...

    @property
    def temporary(self) -> str: ...

    def run(self, script: str, limit_s: float = 60.0) -> Answer:
        """Run a shell script on the board to its end.

        Raises:
            LostConnectionError: no answer came, within ``limit_s`` or at all.
            DcrnetError: the board refuses, or is none; says what to do.
        """
        ...

    def push(self, local: Path, remote: str, limit_s: float) -> Answer:
        """Write a file to the board, over an older one.

        Raises:
            LostConnectionError, DcrnetError: as in :meth:`run`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Marked:
    """A script whose last line tells that it has ended and how.

    Neither an older adb nor a connection that breaks passes an exit status on.
    """

    script: str
    token: str

    @classmethod
    def of(cls, script: str) -> Marked:
        """``script`` with an ending of its own."""
        token = f"ended-{uuid.uuid4().hex}"
        return cls(f"( {script}\n)\ncode=$?; echo; echo {token} $code", token)

    def answer(self, stdout: str, complaint: str) -> Answer | None:
        """What it gave; None where the ending did not come."""
        text, _, ending = stdout.replace("\r\n", "\n").rpartition(f"\n{self.token} ")
        if not ending.strip().isdigit():
            return None
        return Answer(int(ending), text.removesuffix("\n"), complaint)


def carry(
    command: Sequence[str], limit_s: float, *, name: str, stdin: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of this machine that carries words to the board ``name``.

    Raises:
        LostConnectionError: it has not ended in time.
        DcrnetError: it is not installed.
    """
    try:
        with (stdin or Path("/dev/null")).open("rb") as file:
            return subprocess.run(
                command,
                stdin=file,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=limit_s,
            )
    except FileNotFoundError as error:
        if stdin is not None and not stdin.is_file():
            raise
        raise DcrnetError(
            f"`host` {name}: there is no {command[0]} here: install it (Debian:"
            f" apt-get install {'openssh-client' if command[0] == 'ssh' else command[0]})"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LostConnectionError(
            f"`host` {name} has not answered in {limit_s:.0f} s: look whether it still runs"
        ) from error
