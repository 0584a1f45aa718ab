"""An external meter that writes a CSV file while the bench runs, aligned by time.

Lines of ``t_unix,watts``: seconds since 1970 by this machine's clock, and the power then. What
writes them is up to the meter: a wall plug, a USB tester, a source measure unit.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.sampled import mean_w
from dcrnet_runtime.errors import DcrnetError

HEADER = "t_unix,watts"
_PATIENCE_S = 10.0
_POLL_S = 0.1
_LEAST_SAMPLES = 5
_MOST_GAP = 5.0
"""A gap in the file of more than so many usual ones makes a span's energy unknown."""


class LoggedMeter:
    """Reads a span's power from a file that goes on being written.

    Attributes:
        name: for people.
        rails: the file's name: what it measures, only its user knows.
        uncertainty: for people.
        rate_hz: lines a second.
    """

    name = "an external meter"

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Look at the file, which has lines already.

        Args:
            path: the CSV file, ``energy_csv`` in messages.
            clock: seconds since 1970.
            sleep: waits for more lines.

        Raises:
            DcrnetError: it cannot be read, or has fewer than two lines or a bad one.
        """
        self._path, self._clock, self._sleep = path, clock, sleep
        times_s, _ = read_log(path)
        if len(times_s) < 2:
            raise DcrnetError(
                f"`energy_csv` {path} has fewer than two whole lines: start the meter before the"
                " bench"
            )
        self.rails: tuple[str, ...] = (path.name,)
        self._gap_s = median(b - a for a, b in pairwise(times_s))
        self.rate_hz = 1 / self._gap_s
        self.uncertainty = (
            f"{self.rate_hz:.3g} lines a second; the meter's own, and its clock against this"
            " machine's"
        )
        self._started_s = clock()

    def start(self) -> None:
        self._started_s = self._clock()

    def stop(self) -> float:
        """J since the start; waits some seconds for lines that reach until now."""
        ended_s = self._clock()
        times_s, watts = read_log(self._path)
        while (not times_s or times_s[-1] < ended_s) and self._clock() - ended_s < _PATIENCE_S:
            self._sleep(_POLL_S)
            times_s, watts = read_log(self._path)
        self._check(times_s, ended_s)
        return _between(times_s, watts, self._started_s, ended_s) * (ended_s - self._started_s)

    def _check(self, times_s: Sequence[float], ended_s: float) -> None:
        if not times_s or times_s[-1] < ended_s or times_s[0] > self._started_s:
            raise NoMeterError(
                f"{self._path} does not cover the run, of {self._started_s:.1f} to {ended_s:.1f}:"
                " let the meter write while the bench runs, by this machine's clock"
            )
        first = bisect_left(times_s, self._started_s)
        last = bisect_right(times_s, ended_s)
        if last - first < _LEAST_SAMPLES:
            raise NoMeterError(
                f"{self._path} has {last - first} lines in a span of"
                f" {ended_s - self._started_s:.1f} s: let the meter write more often"
            )
        inside = times_s[max(first - 1, 0) : last + 1]
        gap_s = max(b - a for a, b in pairwise(inside))
        if gap_s > _MOST_GAP * self._gap_s:
            raise NoMeterError(f"{self._path} has a gap of {gap_s:.1f} s in a measured span")


def read_log(path: Path) -> tuple[list[float], list[float]]:
    """Times in s since 1970 and W; a last line that is still being written is left out.

    Raises:
        DcrnetError: the file cannot be read, a line is none, or time goes backwards.
    """
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise DcrnetError(
            f"`energy_csv` {path} cannot be read ({error.strerror}): name the file that the meter"
            " writes"
        ) from error
    times_s: list[float] = []
    watts: list[float] = []
    lines = text[: text.rfind("\n") + 1].splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip() or (number == 1 and "".join(line.split()).lower() == HEADER):
            continue
        try:
            time_s, power = map(float, line.split(","))
        except ValueError as error:
            raise _bad_line(path, number, f"is no {HEADER}") from error
        if times_s and not time_s > times_s[-1]:
            raise _bad_line(path, number, "is not later than the one before")
        if not 0 <= power < float("inf"):
            raise _bad_line(path, number, "has no power")
        times_s.append(time_s)
        watts.append(power)
    return times_s, watts


def _bad_line(path: Path, number: int, why: str) -> DcrnetError:
    return DcrnetError(
        f"`energy_csv` {path}, line {number}, {why}: write lines of seconds since 1970 and watts,"
        " such as 1764450000.25,4.81"
    )


def _between(
    times_s: Sequence[float], watts: Sequence[float], started_s: float, ended_s: float
) -> float:
    """Mean W from ``started_s`` to ``ended_s``, which lie within the samples."""
    first, last = bisect_right(times_s, started_s), bisect_left(times_s, ended_s)
    ends = [_at(times_s, watts, instant) for instant in (started_s, ended_s)]
    return mean_w(
        [started_s, *times_s[first:last], ended_s], [ends[0], *watts[first:last], ends[1]]
    )


def _at(times_s: Sequence[float], watts: Sequence[float], instant_s: float) -> float:
    right = min(max(bisect_left(times_s, instant_s), 1), len(times_s) - 1)
    (t0, t1), (w0, w1) = times_s[right - 1 : right + 1], watts[right - 1 : right + 1]
    return w0 + (w1 - w0) * (instant_s - t0) / (t1 - t0)
