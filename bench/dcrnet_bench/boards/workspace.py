"""A temporary folder on a board, which nothing of a measurement outlives.

It is removed at the end, and by the board itself where the connection does not come back.
"""

from __future__ import annotations

import hashlib
import shlex
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.boards.connection import Connection, LostConnectionError
from dcrnet_runtime.errors import DcrnetError

LEASE_MIN = 30
"""Minutes without a word from here after which the board clears up by itself."""

ENDED_BY_LIMIT = 137
"""The exit status of a job that did not end in time."""

_LOOK_S = 20
_LEAST_BYTES_S = 50_000
_PUSHES = 3


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder of one measurement.

    Attributes:
        connection: to its board.
        folder: there; nobody else may read it.
    """

    connection: Connection
    folder: str

    def path(self, name: str) -> str:
        """Of a file in it."""
        return f"{self.folder}/{name}"

    def push(self, local: Path, name: str) -> str:
        """Write a file there, unless it is there, and compare hashes; its path there.

        Raises:
            DcrnetError: the board has no room or changes what is sent, or is lost.
        """
        remote, wanted = self.path(name), _sha256(local)
        self.run(f"mkdir -p {shlex.quote(remote.rpartition('/')[0])}")
        limit_s = 60 + local.stat().st_size / _LEAST_BYTES_S
        reason = ""
        for _ in range(_PUSHES):
            if self._hash(remote) == wanted:
                return remote
            sent = self.connection.push(local, remote, limit_s)
            reason = sent.reason if sent.code else "its hash is another there"
            if "No space left" in reason:
                megabytes = local.stat().st_size / 1e6
                raise DcrnetError(
                    f"`host` {self.connection.name} has no room for {local.name}"
                    f" ({megabytes:.0f} MB) in {self.connection.temporary}: free some there"
                )
        if self._hash(remote) == wanted:
            return remote
        raise DcrnetError(
            f"`host` {self.connection.name} did not take {local.name} ({reason}): try again"
        )

    def read(self, name: str) -> str:
        """A text there.

        Raises:
            DcrnetError: it is not there, or the board is lost.
        """
        return self.run(f"cat {shlex.quote(self.path(name))}")

    def run(self, script: str, limit_s: float = 60.0) -> str:
        """What a script in the folder prints.

        Raises:
            DcrnetError: it failed, or the board is lost.
        """
        # The look at the file tells the board that somebody still waits.
        answer = self.connection.run(f"cd {self.folder} && touch alive && {script}", limit_s)
        if answer.code:
            raise DcrnetError(f"`host` {self.connection.name}: {answer.reason}: look there")
        return answer.text

    def remove(self) -> None:
        """End what runs in it and remove it.

        Raises:
            DcrnetError: it cannot be removed; names it.
        """
        answer = self.connection.run(
            f"cd / && for each in job reaper; do"
            f" [ -s {self.folder}/$each.pid ] && kill -9 -$(cat {self.folder}/$each.pid);"
            f" done 2>/dev/null; rm -rf {self.folder} && [ ! -e {self.folder} ]"
        )
        if answer.code:
            raise DcrnetError(
                f"`host` {self.connection.name} keeps {self.folder} ({answer.reason}): remove it"
                " there"
            )

    def _hash(self, remote: str) -> str:
        quoted = shlex.quote(remote)
        told = self.run(f"if [ -e {quoted} ]; then sha256sum {quoted}; fi", limit_s=300.0)
        return told.split()[0].lstrip("\\") if told.split() else ""


@contextmanager
def workspace(connection: Connection) -> Generator[Workspace, None, None]:
    """A new one, removed at the end.

    Raises:
        DcrnetError: the board has no place to write, or is lost.
    """
    found = Workspace(connection, f"{connection.temporary}/dcrnet-bench-{uuid.uuid4().hex}")
    made = connection.run(
        f"umask 077; mkdir -p {found.folder} && cd {found.folder} && touch alive"
        f" && printf '%s' {shlex.quote(_reaper(found.folder))} >reaper.sh"
        f" && {detached('reaper', 'reaper')}"
    )
    if made.code:
        raise DcrnetError(
            f"`host` {connection.name} has no room in {connection.temporary} ({made.reason}):"
            " make some there"
        )
    try:
        yield found
    except LostConnectionError as error:
        raise LostConnectionError(
            f"{error}; what is in {found.folder} there it removes by itself after {LEASE_MIN}"
            " minutes"
        ) from error
    except BaseException:
        # What failed is told, and not that clearing up failed as well.
        with suppress(DcrnetError):
            found.remove()
        raise
    found.remove()


def detached(name: str, group: str) -> str:
    """The script that starts ``name``.sh in a session of its own, once.

    Its process group is noted in ``group``.pid.
    """
    return (
        f"if mkdir {name}.started 2>/dev/null; then setsid sh -c"
        f" 'echo $$ >{group}.pid; exec sh {name}.sh' </dev/null >/dev/null 2>&1 & fi"
    )


def _reaper(folder: str) -> str:
    """Ends a job at its limit, and everything when nobody has asked for long."""
    kill = "[ -s job.pid ] && kill -9 -$(cat job.pid)"
    return (
        f"while sleep {_LOOK_S}; do cd {folder} || exit 0\n"
        f'if [ -n "$(find alive -mmin +{LEASE_MIN})" ]; then'
        f" {kill}; cd /; rm -rf {folder}; exit; fi\n"
        f'if [ -s limit ] && [ -n "$(find job.pid -mmin +$(cat limit))" ]; then'
        f" {kill}; echo {ENDED_BY_LIMIT} >ended; fi\ndone\n"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
