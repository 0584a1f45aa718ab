"""A meter of power becomes one of energy: its samples are integrated over the span.

The samples are taken in a thread of its own, at a stated rate that is lowered until reading takes
at most a twentieth of the time, so that it hardly disturbs what is measured. What is left of the
disturbance is there in the idle spans as well, and is subtracted with them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from dcrnet_bench.meters.meter import NoMeterError

MOST_READING_SHARE = 0.05
"""Of the time; an upper bound of the processor time that sampling takes, since a read may wait."""

_JOIN_S = 60.0


class SampledMeter:
    """Integrates power by the trapezoidal rule.

    Attributes:
        name: for people.
        rails: what it covers.
        uncertainty: of the maker's, with how the samples were taken.
        rate_hz: samples a second.
        read_w: the power now, in W.
    """

    def __init__(
        self,
        name: str,
        rails: tuple[str, ...],
        uncertainty: str,
        read_w: Callable[[], float],
        rate_hz: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Read once, to see what a reading takes.

        Args:
            name: for people.
            rails: what it covers, in the maker's words.
            uncertainty: of ``read_w``, for people.
            read_w: the power now, in W; raises :class:`NoMeterError` when the sensor is gone.
            rate_hz: samples a second at most; no more than there are new values.
            clock: in s.

        Raises:
            NoMeterError: the first reading fails.
        """
        self.name, self.rails = name, rails
        self.read_w, self._clock = read_w, clock
        started_s = clock()
        read_w()
        slowest_s = (clock() - started_s) / MOST_READING_SHARE
        self.rate_hz = min(rate_hz, 1 / slowest_s) if slowest_s else rate_hz
        self.uncertainty = (
            f"{uncertainty}; sampled {self.rate_hz:.3g} times a second, reading takes at most"
            f" {MOST_READING_SHARE:.0%} of the time"
        )
        self._sampling: _Sampling | None = None

    def start(self) -> None:
        if self._sampling is not None:
            self._sampling.end()
        self._sampling = _Sampling(self.read_w, self.rate_hz, self._clock)

    def stop(self) -> float:
        if self._sampling is None:
            raise NoMeterError(f"{self.name} was not started")
        sampling, self._sampling = self._sampling, None
        return sampling.end()


class _Sampling:
    """The samples of one span."""

    def __init__(
        self, read_w: Callable[[], float], rate_hz: float, clock: Callable[[], float]
    ) -> None:
        self._read_w, self._clock = read_w, clock
        self._times_s: list[float] = []
        self._watts: list[float] = []
        self._failure: NoMeterError | None = None
        self._ended = threading.Event()
        self._started_s = clock()
        self._sample()
        self._thread = threading.Thread(target=self._run, args=(1 / rate_hz,), daemon=True)
        self._thread.start()

    def end(self) -> float:
        """J from the start until now."""
        span_s = self._clock() - self._started_s
        self._ended.set()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            raise NoMeterError("the sensor no longer answers")
        self._sample()
        if self._failure is not None:
            raise self._failure
        return mean_w(self._times_s, self._watts) * span_s

    def _run(self, period_s: float) -> None:
        while self._failure is None and not self._ended.wait(period_s):
            self._sample()

    def _sample(self) -> None:
        before_s = self._clock()
        try:
            watts = self._read_w()
        except NoMeterError as error:
            self._failure = error
            return
        self._times_s.append((before_s + self._clock()) / 2)
        self._watts.append(watts)


def mean_w(times_s: Sequence[float], watts: Sequence[float]) -> float:
    """The mean over time of power that goes in straight lines between its samples.

    Args:
        times_s: of the samples, in order, at least one.
        watts: at each.
    """
    span_s = times_s[-1] - times_s[0]
    if span_s <= 0:
        return sum(watts) / len(watts)
    steps = zip(times_s, times_s[1:], watts, watts[1:], strict=False)
    return sum((t1 - t0) * (w0 + w1) / 2 for t0, t1, w0, w1 in steps) / span_s
