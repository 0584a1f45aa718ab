"""Programs of this machine that emulation needs, and how they are run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dcrnet_runtime.errors import DcrnetError

PACKAGES = {
    "qemu-aarch64": "qemu-user",
    "mmdebstrap": "mmdebstrap",
    "cc": "gcc",
}
"""Debian's package of each."""

_OWN = "error: "
"""How a program of this project begins a line that says all."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended with code 0.

    Attributes:
        stdout: what it printed.
        stderr: what it said beside.
    """

    stdout: str
    stderr: str


def missing_packages(programs: Sequence[str] = tuple(PACKAGES)) -> list[str]:
    """Debian's packages of those ``programs`` that are not there."""
    return [PACKAGES[name] for name in programs if shutil.which(name) is None]


def require(*programs: str) -> None:
    """Make sure that ``programs`` are there.

    Raises:
        DcrnetError: some are not; names what to install.
    """
    missing = missing_packages(programs)
    if missing:
        names = " ".join(missing)
        raise DcrnetError(f"emulation needs what is not here: apt-get install {names}")


def run_program(
    command: Sequence[str],
    *,
    what: str,
    limit_s: float,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        what: it does, for people.
        limit_s: it is ended then.
        environment: all its variables; None for those of this process.

    Raises:
        DcrnetError: it failed, has the last line that it said; or it does not end.
    """
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=limit_s,
        )
    except OSError as error:
        raise DcrnetError(f"{command[0]} cannot be run ({error.strerror}): install it") from error
    except subprocess.TimeoutExpired as error:
        raise DcrnetError(f"{what} has not ended in {limit_s:.0f} s: try again") from error
    if done.returncode:
        line = _last_line(done.stderr)
        if line.startswith(_OWN):
            raise DcrnetError(line.removeprefix(_OWN))
        raise DcrnetError(f"{what} failed{_ending(done.returncode)}: {line}")
    return Ended(done.stdout, done.stderr)


def _ending(code: int) -> str:
    return f" by signal {-code}" if code < 0 else f" with code {code}"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
