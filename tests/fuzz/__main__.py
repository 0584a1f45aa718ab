"""Spoilt inputs of every kind, in processes with limits; each that ends one is saved.

    python -m tests.fuzz --seed 1 --inputs 100000
    python -m tests.fuzz --kind picture-png --seconds 60

An input is drawn from the seed, its kind and its number, so that any can be made again. Exit code
1 says that there were findings: a process that died, a traceback, a hang or too much memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from fuzz.seeds import KINDS, drawn, shares  # noqa: E402

BATCH = 1000
HANG_S = 10.0
PEAK_MB = 1024
_ADDRESSES = 8 << 30
_STARTING_S = 180.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Inputs and seconds in all."""

    inputs: int
    seconds: float


@dataclass(slots=True)
class Tally:
    """What was tried of a kind, and what came of it."""

    inputs: int = 0
    crashes: int = 0
    tracebacks: int = 0
    hangs: int = 0
    large: int = 0
    peak_mb: int = 0
    slowest_s: float = 0.0

    @property
    def findings(self) -> int:
        """How many inputs did what none may."""
        return self.crashes + self.tracebacks + self.hangs + self.large


def fuzz(kinds: list[str], seed: int, budget: Budget, saved: Path) -> dict[str, Tally]:
    """Batch after batch, the kinds in turns, until the budget is spent."""
    tallies = {kind: Tally() for kind in kinds}
    until, left = time.monotonic() + budget.seconds, shares(kinds, budget.inputs)
    while any(left.values()) and time.monotonic() < until:
        for kind in kinds:
            first, count = tallies[kind].inputs, min(BATCH, left[kind])
            if count and time.monotonic() < until:
                numbers = range(first, first + count)
                left[kind] -= _batch(kind, seed, numbers, tallies[kind], saved, until)
    return tallies


def _batch(kind: str, seed: int, numbers: range, tally: Tally, saved: Path, until: float) -> int:
    """One process; the input at which it ended is a crash or a hang. How many were tried."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        words = [
            sys.executable,
            "-m",
            "fuzz.batch",
            kind,
            *map(str, (seed, numbers[0], len(numbers))),
        ]
        words.append(folder)
        paths = os.pathsep.join([str(TESTS), *(each for each in sys.path if each)])
        environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            words, env=environment, stdout=subprocess.PIPE, text=True, preexec_fn=_limit
        )
        done, base, is_hung, is_late = 0, 0, False, False
        for line in _lines(process):
            if line is None:
                is_hung = True
                break
            found = json.loads(line)
            done += 1
            if what := _finding(found, base):
                _save(kind, seed, int(found["number"]), saved, what)
            base = _count(found, base, tally)
            if is_late := time.monotonic() > until:
                break
        process.kill()
        ended = process.wait()
        if done < len(numbers) and not is_late:
            if not (place / "number").exists():
                raise SystemExit(f"the batch of {kind} did not start (exit code {ended})")
            tally.hangs += is_hung
            tally.crashes += not is_hung
            number = int((place / "number").read_text())
            _save(kind, seed, number, saved, f"ended by {ended}" if not is_hung else "hung")
            done += 1
        tally.inputs += done
        return done


def _finding(found: dict[str, Any], before_mb: int) -> str:
    """What an input did that none may; empty for one that did nothing of the kind.

    Args:
        found: what its process says of it.
        before_mb: the process's peak before it, which is not this input's.
    """
    if found["traceback"]:
        return str(found["traceback"])
    if found["seconds"] > HANG_S:
        return f"took {found['seconds']} s"
    peak = int(found["peak_mb"])
    return f"took {peak} MB" if peak > max(PEAK_MB, before_mb) else ""


def _count(found: dict[str, Any], before_mb: int, tally: Tally) -> int:
    """Add one input's outcome; the process's peak with it, MB."""
    seconds, peak = float(found["seconds"]), int(found["peak_mb"])
    tally.tracebacks += bool(found["traceback"])
    tally.hangs += seconds > HANG_S
    tally.large += peak > max(PEAK_MB, before_mb)
    tally.peak_mb, tally.slowest_s = max(tally.peak_mb, peak), max(tally.slowest_s, seconds)
    return max(peak, before_mb)


def _save(kind: str, seed: int, number: int, saved: Path, what: str) -> None:
    saved.mkdir(parents=True, exist_ok=True)
    stem = f"{kind}-{seed}-{number}"
    (saved / f"{stem}.txt").write_text(what)
    (saved / f"{stem}.input").write_bytes(drawn(kind, seed, number))


def _lines(process: subprocess.Popen[str]) -> Iterator[str | None]:
    """What the process says; None where it says nothing for too long."""
    import selectors

    assert process.stdout is not None
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        limit_s, buffer = _STARTING_S, ""
        while True:
            if not ready.select(limit_s):
                yield None
                return
            content = os.read(process.stdout.fileno(), 1 << 16).decode()
            if not content:
                return
            *whole, buffer = (buffer + content).split("\n")
            yield from whole
            limit_s = 2 * HANG_S


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Parse, run, print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inputs", type=int, default=10_000, help="in all, fewer of slow kinds")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which to stop")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only these")
    parser.add_argument("--saved", type=Path, default=Path("fuzz-findings"), help="where to")
    given = parser.parse_args()
    budget = Budget(given.inputs, given.seconds)
    tallies = fuzz(given.kind or list(KINDS), given.seed, budget, given.saved)
    print("| kind | inputs | crashes | tracebacks | hangs | over 1 GB | peak MB | slowest s |")  # noqa: T201
    print("|---|---|---|---|---|---|---|---|")  # noqa: T201
    for kind, tally in tallies.items():
        print(  # noqa: T201
            f"| {kind} | {tally.inputs} | {tally.crashes} | {tally.tracebacks} | {tally.hangs}"
            f" | {tally.large} | {tally.peak_mb} | {tally.slowest_s:.2f} |"
        )
    sys.exit(any(tally.findings for tally in tallies.values()))


if __name__ == "__main__":
    main()
