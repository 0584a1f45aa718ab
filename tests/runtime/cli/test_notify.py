"""What systemd is told, over a real socket."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcrnet_runtime.cli.running.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The manager's end, and what it calls its address."""
    path = str(tmp_path / "notify") if request.param == "path" else f"@dcrnet-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiving:
        receiving.bind(path.replace("@", "\0", 1))
        receiving.setblocking(False)
        yield receiving, path


def received(receiving: socket.socket) -> list[str]:
    messages = []
    while True:
        try:
            messages.append(receiving.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_ready_and_stopping(manager: tuple[socket.socket, str]) -> None:
    receiving, path = manager
    notifier = Notifier({"NOTIFY_SOCKET": path})
    notifier.ready("camera 0\n640x480")
    notifier.beat()  # no watchdog was asked for
    notifier.stopping()
    assert received(receiving) == ["READY=1\nSTATUS=camera 0 640x480", "STOPPING=1"]


def test_the_watchdog_gets_as_many_beats_as_it_needs(manager: tuple[socket.socket, str]) -> None:
    receiving, path = manager
    notifier = Notifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"})
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        notifier.beat()
        time.sleep(0.005)
    beats = received(receiving)
    assert set(beats) == {"WATCHDOG=1"}
    assert 3 <= len(beats) <= 6  # every 100 ms, not every turn


def test_a_watchdog_of_another_process_gets_none(manager: tuple[socket.socket, str]) -> None:
    receiving, path = manager
    notifier = Notifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"})
    notifier.beat()
    assert received(receiving) == []


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_without_a_manager_nothing_happens(environment: dict[str, str]) -> None:
    notifier = Notifier({**environment, "WATCHDOG_USEC": "x"})
    notifier.ready("")
    notifier.beat()
    notifier.stopping()


def test_a_manager_that_does_not_read_holds_nobody(manager: tuple[socket.socket, str]) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager[1]})
    started = time.monotonic()
    for _ in range(2000):
        notifier.stopping()
    assert time.monotonic() - started < 5
