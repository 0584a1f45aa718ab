"""An external meter's file, which goes on being written while it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.logged import LoggedMeter, read_log
from dcrnet_runtime.errors import DcrnetError


class Logger:
    """Writes a line every 0.1 s of a clock that only the test turns."""

    def __init__(self, path: Path, watts: float) -> None:
        self.path, self.watts, self.now_s = path, watts, 1000.0
        path.write_text("t_unix,watts\n")
        self.pass_time(2.0)

    def pass_time(self, span_s: float) -> None:
        with self.path.open("a") as file:
            for _ in range(round(span_s * 10)):
                self.now_s += 0.1
                file.write(f"{self.now_s:.3f},{self.watts}\n")

    def clock(self) -> float:
        return self.now_s - 0.03  # between two lines


def meter_of(logger: Logger) -> LoggedMeter:
    return LoggedMeter(logger.path, logger.clock, logger.pass_time)


def test_a_span_is_cut_out_of_the_file_by_time(tmp_path: Path) -> None:
    logger = Logger(tmp_path / "plug.csv", watts=4.0)
    meter = meter_of(logger)
    assert meter.rails == ("plug.csv",)
    assert meter.rate_hz == pytest.approx(10)
    logger.pass_time(1.0)
    logger.watts = 10.0
    meter.start()
    logger.pass_time(3.0)
    logger.watts = 50.0
    energy_j = meter.stop()  # at first the file ends before the span does
    # It begins with 0.03 s of 4 W and the 0.1 s in which a straight line leads to 10 W.
    assert energy_j == pytest.approx(3.0 * 10 - 0.03 * 6 - 0.1 * 3)


def test_what_lies_between_lines_is_interpolated(tmp_path: Path) -> None:
    path = tmp_path / "plug.csv"
    path.write_text("\n".join(f"{t},{2 * t}" for t in range(20)) + "\n")
    now = [0.5, 2.5, 9.5, 9.5]
    meter = LoggedMeter(path, lambda: now.pop(0), lambda s: None)
    meter.start()  # at 2.5 s: 5 W; at 9.5 s 19 W
    assert meter.stop() == pytest.approx(7 * 12)


def test_a_file_that_does_not_reach_the_run_is_refused(tmp_path: Path) -> None:
    logger = Logger(tmp_path / "plug.csv", watts=4.0)
    now = 5000.0

    def sleep(span_s: float) -> None:
        nonlocal now
        now += span_s

    meter = LoggedMeter(logger.path, lambda: now, sleep)
    meter.start()
    now += 3
    with pytest.raises(NoMeterError, match=r"does not cover the run, of 5000\.0 to 5003\.0"):
        meter.stop()
    assert now < 5015


def test_a_meter_that_starts_late_is_refused(tmp_path: Path) -> None:
    logger = Logger(tmp_path / "plug.csv", watts=4.0)
    meter = LoggedMeter(logger.path, lambda: 900.0, lambda s: None)
    meter.start()
    with pytest.raises(NoMeterError, match="does not cover"):
        meter.stop()


def test_a_gap_in_a_span_is_refused(tmp_path: Path) -> None:
    logger = Logger(tmp_path / "plug.csv", watts=4.0)
    meter = meter_of(logger)
    meter.start()
    logger.pass_time(1.0)
    logger.now_s += 2.0
    logger.pass_time(1.0)
    with pytest.raises(NoMeterError, match=r"a gap of 2\.1 s"):
        meter.stop()


def test_too_few_lines_in_a_span_are_refused(tmp_path: Path) -> None:
    logger = Logger(tmp_path / "plug.csv", watts=4.0)
    meter = meter_of(logger)
    meter.start()
    logger.pass_time(0.2)
    with pytest.raises(NoMeterError, match="write more often"):
        meter.stop()


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "plug.csv"
    path.write_text("1,5\n2,5\n3,")
    assert read_log(path) == ([1, 2], [5, 5])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("t_unix,watts\n1,5\n2;5\n", r"line 3, is no t_unix,watts: write lines of seconds"),
        ("1,5\n1,5\n", "line 2, is not later than the one before"),
        ("1,5\n2,-1\n", "line 2, has no power"),
        ("1,5\nnan,1\n", "line 2, is not later"),
        ("1,5\n2,nan\n", "line 2, has no power"),
        ("a,b\n1,5\n", "line 1, is no t_unix,watts"),
        ("1,5\n", "fewer than two whole lines: start the meter before the bench"),
        ("", "fewer than two whole lines"),
    ],
)
def test_a_bad_file_is_told_by_its_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "plug.csv"
    path.write_text(text)
    with pytest.raises(DcrnetError, match=f"^`energy_csv` .*{why}"):
        LoggedMeter(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match=r"cannot be read .*: name the file that the meter"):
        LoggedMeter(tmp_path / "none.csv")
