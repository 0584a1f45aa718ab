"""Tells systemd that the program is ready, alive and stopping (``sd_notify``)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """Sends to the service manager's socket; outside a service it does nothing.

    Args:
        environment: where ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` are.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ is Linux's abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._beat_s = _watchdog_s(environment) / 3
        self._next_s = 0.0

    def ready(self, status: str) -> None:
        """Frames are observed; ``systemctl status`` shows the one line of status."""
        self._send(f"READY=1\nSTATUS={' '.join(status.split())}")

    def beat(self) -> None:
        """The loop turns; sent as often as the watchdog needs it, so call it on every turn."""
        now_s = time.monotonic()
        if self._beat_s and now_s >= self._next_s:
            self._next_s = now_s + self._beat_s
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Outputs are being flushed."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self._address:
            # A manager that is away or busy must not hold the loop.
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.setblocking(False)
                out.sendto(message.encode(), self._address)


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """Seconds within which systemd wants a sign of life; 0 for none."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    usec = environment.get("WATCHDOG_USEC", "")
    return int(usec) / 1e6 if usec.isdecimal() else 0.0
