"""Commands that tell a sensor's values, here or on the device that is measured from here."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Sequence

from dcrnet_bench.meters.meter import NoMeterError

Command = Callable[[Sequence[str]], str]
"""Runs a program with its arguments and returns what it prints; raises :class:`NoMeterError`."""

_LIMIT_S = 10.0


def run_here(words: Sequence[str]) -> str:
    """Run a program on this machine.

    Raises:
        NoMeterError: there is no such program, it fails, or takes longer than ten seconds.
    """
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", timeout=_LIMIT_S
        )
    except subprocess.TimeoutExpired as error:
        raise NoMeterError(f"{words[0]} did not answer in {_LIMIT_S:.0f} s") from error
    except OSError as error:
        raise NoMeterError(f"{words[0]} does not run here ({error.strerror})") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise NoMeterError(f"{words[0]} failed: {said[0] if said else 'it does not say why'}")
    return done.stdout


def run_behind(*prefix: str) -> Command:
    """Run programs where a shell is that ``prefix`` leads to: ``adb -s SERIAL shell``, ``ssh``."""
    return lambda words: run_here([*prefix, shlex.join(words)])
