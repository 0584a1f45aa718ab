"""A board by Android's adb: a phone, or a Linux board with adbd."""

from __future__ import annotations

from pathlib import Path

from dcrnet_bench.boards.connection import (
    CONNECT_S,
    Answer,
    LostConnectionError,
    Marked,
    carry,
)
from dcrnet_runtime.errors import DcrnetError

PREFIX = "adb:"

_READY = "device"
_REMEDIES = {
    "offline": "it does not answer: unplug it, plug it in again, adb reconnect",
    "unauthorized": "confirm this machine's key on its screen",
    "no permissions": (
        "let this user reach USB (Debian: apt-get install android-sdk-platform-tools-common)"
    ),
    "recovery": "start its system, not its recovery",
    "sideload": "start its system, not its recovery",
    "bootloader": "start its system: fastboot reboot",
}
"""What ``adb devices`` calls a device that takes no commands, and what to do."""


class AdbConnection:
    """A shell by adb.

    Attributes:
        name: ``adb:SERIAL``.
        serial: of the device.
        temporary: where Android lets its shell write and execute.
    """

    temporary = "/data/local/tmp"

    def __init__(self, serial: str) -> None:
        self.name, self.serial = f"{PREFIX}{serial}", serial

    @classmethod
    def open(cls, name: str) -> AdbConnection:
        """The device ``adb:SERIAL``, or the only one for ``adb:``, when its shell has answered.

        Raises:
            DcrnetError: it is not there or not ready; says what to do.
        """
        states = _devices(name)
        serial = name.removeprefix(PREFIX) or _only(states)
        if serial not in states:
            raise DcrnetError(
                f"`host` adb:{serial} is not there: adb devices shows {_listed(states)}"
            )
        if states[serial] != _READY:
            state = states[serial]
            remedy = _REMEDIES.get(state, "see adb devices")
            raise DcrnetError(f"`host` adb:{serial} is {state}: {remedy}")
        connection = cls(serial)
        connection.run("true", CONNECT_S)
        return connection

    def run(self, script: str, limit_s: float = 60.0) -> Answer:
        marked = Marked.of(script)
        command = ["adb", "-s", self.serial, "shell", marked.script]
        done = carry(command, limit_s, name=self.name)
        answer = marked.answer(done.stdout, done.stderr)
        if answer is None:
            raise self._lost(done.stderr or done.stdout)
        return answer

    def push(self, local: Path, remote: str, limit_s: float) -> Answer:
        command = ["adb", "-s", self.serial, "push", str(local), remote]
        done = carry(command, limit_s, name=self.name)
        said = f"{done.stdout}\n{done.stderr}"
        if done.returncode and _is_lost(said):
            raise self._lost(said)
        return Answer(done.returncode, done.stdout, done.stderr)

    def _lost(self, said: str) -> LostConnectionError:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        last = lines[-1] if lines else "adb said nothing"
        return LostConnectionError(
            f"`host` {self.name} cannot be reached ({last}): plug it in, and try adb devices"
        )


def _is_lost(said: str) -> bool:
    words = ("device offline", "not found", "no devices", "closed", "protocol fault")
    return any(each in said for each in words)


def _devices(name: str) -> dict[str, str]:
    """Serial and state of each device that adb knows."""
    done = carry(["adb", "devices"], CONNECT_S, name=name)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["adb devices failed"]
        raise DcrnetError(f"`host` {name}: {lines[-1].strip()}: mend adb first (adb kill-server)")
    pairs = (line.split(maxsplit=1) for line in done.stdout.splitlines()[1:] if line.strip())
    return {pair[0]: _state(pair[1]) for pair in pairs if len(pair) == 2}


def _state(text: str) -> str:
    """Without the advice that adb puts behind some."""
    return next((state for state in _REMEDIES if text.startswith(state)), text.split()[0])


def _only(states: dict[str, str]) -> str:
    if len(states) != 1:
        raise DcrnetError(
            f"`host` adb: adb devices shows {_listed(states)}: name one as adb:SERIAL"
            if states
            else "`host` adb: adb devices shows none: plug one in, with USB debugging on"
        )
    return next(iter(states))


def _listed(states: dict[str, str]) -> str:
    return ", ".join(f"{serial} ({state})" for serial, state in states.items()) or "none"
