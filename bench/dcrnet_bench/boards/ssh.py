"""A board by the system's ssh, with its keys and its configuration."""

from __future__ import annotations

import shlex
from pathlib import Path

from dcrnet_bench.boards.connection import (
    CONNECT_S,
    Answer,
    LostConnectionError,
    Marked,
    carry,
)
from dcrnet_runtime.errors import DcrnetError

# Nobody is asked anything; a peer that is silent for 15 s is gone.
_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": f"{CONNECT_S:.0f}",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "LogLevel": "ERROR",
}
_FAILED = 255
"""ssh's own exit status, which says that it was not the script that failed."""

_REFUSALS = {
    "Permission denied": "let it in with a key first: ssh-copy-id {name}",
    "Host key verification failed": "meet it once, and check its key: ssh {name}",
    "REMOTE HOST IDENTIFICATION HAS CHANGED": (
        "its key is another than before: if that is right, ssh-keygen -R its name"
    ),
    "Could not resolve hostname": "name a machine that is known here, as in user@address",
    "Bad port": "give the port as ssh://user@address:PORT",
}
"""What ssh says where trying again is of no use, and what is."""


class SshConnection:
    """A shell by ssh.

    Attributes:
        name: ``user@board``, or as ssh's configuration calls it, or ``ssh://user@board:port``.
        temporary: its folder for temporary files.
    """

    def __init__(self, name: str, temporary: str = "/tmp") -> None:
        """To the board ``name``, which is not asked yet.

        Raises:
            DcrnetError: it is no name of a machine.
        """
        if not name or name.startswith("-") or any(letter.isspace() for letter in name):
            raise DcrnetError(f"`host` {name!r} names no machine: give user@board or adb:SERIAL")
        self.name, self.temporary = name, temporary

    @classmethod
    def open(cls, name: str) -> SshConnection:
        """The connection, when a shell has answered.

        Raises:
            DcrnetError: none does; says what to do.
        """
        told = cls(name).run('echo "${TMPDIR:-/tmp}"', CONNECT_S + 10).text.split()
        return cls(name, told[-1]) if told else cls(name)

    def run(self, script: str, limit_s: float = 60.0) -> Answer:
        return self._run(script, limit_s, None)

    def push(self, local: Path, remote: str, limit_s: float) -> Answer:
        return self._run(f"cat >{shlex.quote(remote)}", limit_s, local)

    def _run(self, script: str, limit_s: float, stdin: Path | None) -> Answer:
        marked = Marked.of(script)
        options = [word for each in _OPTIONS.items() for word in ("-o", "=".join(each))]
        # Whatever shell the user has there, sh reads the script.
        command = ["ssh", *options, "-T", "--", self.name, f"sh -c {shlex.quote(marked.script)}"]
        done = carry(command, limit_s, name=self.name, stdin=stdin)
        answer = marked.answer(done.stdout, done.stderr)
        if answer is None:
            raise self._failure(done.returncode, done.stderr)
        return answer

    def _failure(self, code: int, said: str) -> DcrnetError:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        for words, remedy in _REFUSALS.items():
            told = next((line for line in lines if words in line), None)
            if told is not None:
                return DcrnetError(f"`host` {self.name}: {told}: {remedy.format(name=self.name)}")
        last = lines[-1] if lines else f"ssh ended with code {code}"
        return LostConnectionError(
            f"`host` {self.name} cannot be reached ({last}): switch it on, and try ssh {self.name}"
        )
