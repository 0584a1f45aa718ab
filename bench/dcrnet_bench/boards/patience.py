"""Goes on when a connection comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.boards.connection import Answer, Connection, LostConnectionError

RECONNECT_S = 300.0
"""How long a board may be out of reach, one outage."""

_PAUSES_S = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class PatientConnection:
    """A connection that tries again; what it runs must bear being run twice.

    Attributes:
        connection: that may be lost.
        tell: told once for each outage.
        clock: monotonic seconds.
        sleep: waits, in seconds.
    """

    connection: Connection
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @property
    def name(self) -> str:
        """Of the board."""
        return self.connection.name

    @property
    def temporary(self) -> str:
        """Its folder for temporary files."""
        return self.connection.temporary

    def run(self, script: str, limit_s: float = 60.0) -> Answer:
        return self._again(lambda: self.connection.run(script, limit_s))

    def push(self, local: Path, remote: str, limit_s: float) -> Answer:
        return self._again(lambda: self.connection.push(local, remote, limit_s))

    def _again(self, action: Callable[[], Answer]) -> Answer:
        lost_s: float | None = None
        attempt = 0
        while True:
            try:
                return action()
            except LostConnectionError as error:
                if lost_s is None:
                    lost_s = self.clock()
                    self.tell(f"{error}; trying again for {RECONNECT_S:.0f} s")
                if self.clock() - lost_s >= RECONNECT_S:
                    raise
            self.sleep(_PAUSES_S[min(attempt, len(_PAUSES_S) - 1)])
            attempt += 1
