"""Power becomes energy by samples that a thread takes."""

from __future__ import annotations

import threading
import time

import pytest

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.sampled import SampledMeter, mean_w


def test_mean_is_of_straight_lines_between_samples() -> None:
    # 1 s of 2 W on average, then 3 s of 4 W on average.
    assert mean_w([0, 1, 4], [1, 3, 5]) == pytest.approx((1 * 2 + 3 * 4) / 4)
    assert mean_w([7], [5]) == 5


def test_a_constant_power_gives_power_times_time() -> None:
    meter = SampledMeter("lamp", ("bulb",), "none", lambda: 3.0, rate_hz=100)
    started_s = time.perf_counter()
    meter.start()
    time.sleep(0.2)
    energy_j = meter.stop()
    assert 3.0 * 0.2 <= energy_j <= 3.0 * (time.perf_counter() - started_s)


def test_a_power_that_rises_is_followed() -> None:
    started_s = time.perf_counter()
    meter = SampledMeter(
        "ramp", ("bulb",), "none", lambda: 10 * (time.perf_counter() - started_s), rate_hz=200
    )
    meter.start()
    begun_s = time.perf_counter() - started_s
    time.sleep(0.3)
    middle_w = 10 * (begun_s + 0.15)
    # No less than a ramp of 0.3 s, and no less than were it flat at its middle.
    assert middle_w * 0.3 * 0.9 <= meter.stop()


def test_it_samples_at_the_rate_it_states_and_no_more() -> None:
    readings: list[float] = []

    def read() -> float:
        readings.append(1.0)
        return 1.0

    meter = SampledMeter("lamp", ("bulb",), "none", read, rate_hz=20)
    assert meter.rate_hz == 20
    meter.start()
    time.sleep(0.5)
    meter.stop()
    # One to open, one at each end, and twenty a second between.
    assert 5 <= len(readings) <= 13


def test_a_slow_reading_lowers_the_rate_to_a_twentieth_of_the_time() -> None:
    now_s = 0.0

    def read() -> float:
        nonlocal now_s
        now_s += 0.02
        return 1.0

    meter = SampledMeter("lamp", ("bulb",), "none", read, 10, lambda: now_s)
    assert meter.rate_hz == pytest.approx(0.05 / 0.02)
    assert "sampled 2.5 times a second" in meter.uncertainty


def test_a_sensor_that_goes_away_ends_the_span_with_its_reason() -> None:
    left = [1.0, 1.0]

    def read() -> float:
        if not left:
            raise NoMeterError("unplugged")
        return left.pop()

    meter = SampledMeter("lamp", ("bulb",), "none", read, rate_hz=100)
    meter.start()
    time.sleep(0.1)
    with pytest.raises(NoMeterError, match="unplugged"):
        meter.stop()


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    meter = SampledMeter("lamp", ("bulb",), "none", lambda: 1.0, rate_hz=100)
    meter.start()
    meter.start()
    meter.stop()
    assert threading.active_count() == before
    with pytest.raises(NoMeterError, match="not started"):
        meter.stop()
