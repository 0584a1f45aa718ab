"""Energy from another meter's file, and from a power that is only assumed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from generated import FixedDetector, TinyModel, synthetic_face
from typer.testing import CliRunner, Result

from dcrnet_bench.cli import bench as cli
from dcrnet_bench.host.emulator import find_emulator
from dcrnet_bench.meters.registry import METERS

pytestmark = pytest.mark.skipif(bool(find_emulator()), reason="emulated: nothing is measured")


@pytest.fixture(autouse=True)
def one_face(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every frame has a face, and spans are short."""
    detector = FixedDetector(synthetic_face((320.0, 240.0), side=200.0))
    monkeypatch.setattr("dcrnet_bench.timing.pipeline.open_detector", lambda: detector)
    monkeypatch.setattr("dcrnet_bench.meters.energy._SPAN_S", 0.1)


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Path]:
    """A wall plug that has 5 W from now on, in a line each 10 ms."""
    path = tmp_path / "plug.csv"
    path.write_text("t_unix,watts\n")
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(0.01):
            with path.open("a") as file:
                file.write(f"{time.time():.4f},5.0\n")

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.3)
    yield path
    ended.set()
    thread.join()


def bench(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, ["--runs", "3", *map(str, arguments)])


def energy_in(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    [model] = json.loads(result.stdout.splitlines()[-1])["models"]
    return model["energy"]


def test_another_meters_file_is_cut_by_time(
    tiny_model: TinyModel, plug: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the thread that writes is late at times.
    monkeypatch.setattr("dcrnet_bench.meters.sensors.logged._MOST_GAP", 1e4)
    monkeypatch.setattr("dcrnet_bench.meters.sensors.logged._LEAST_SAMPLES", 0)
    energy = energy_in(bench(tiny_model(), "--energy-csv", plug))
    assert energy["idle_w"] == pytest.approx(5.0, abs=0.01)
    seconds = energy["busy_unix_s"][1] - energy["busy_unix_s"][0]
    assert energy["gross_j"] * energy["inferences"] == pytest.approx(5.0 * seconds, rel=0.5)
    assert energy["rails"] == ["plug.csv"]
    assert not energy["is_estimate"]


def test_a_file_that_nobody_writes_any_more_gives_null_and_the_reason(
    tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcrnet_bench.meters.sensors.logged._PATIENCE_S", 0.1)
    path = tmp_path / "old.csv"
    path.write_text("".join(f"{1000 + i / 100},5\n" for i in range(9)))
    energy = energy_in(bench(tiny_model(), "--energy-csv", path))
    assert (energy["gross_j"], energy["net_j"]) == (None, None)
    assert "does not cover the run" in energy["reason"]


def test_a_bad_file_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("time;power\n")
    result = bench("nowhere.onnx", "--energy-csv", path)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"error: --energy-csv {path}, line 1, is no")


def test_an_assumed_power_is_named_an_estimate(tiny_model: TinyModel) -> None:
    result = bench(tiny_model(), "--assume-watts", "15")
    energy = energy_in(result)
    document = json.loads(result.stdout.splitlines()[-1])
    mean_ms = document["models"][0]["latency_ms"]["mean"]
    assert energy["gross_j"] == pytest.approx(15 * mean_ms / 1000, rel=1e-3)
    assert energy["is_estimate"]
    assert "energy is an estimate from an assumed power of 15 W, not measured" in document["notes"]


def test_measured_and_assumed_contradict_each_other(plug: Path) -> None:
    result = bench("--energy-csv", plug, "--assume-watts", "15")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --energy-csv and --assume-watts contradict each other")


def test_without_a_sensor_energy_is_null_and_says_why(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(METERS):
        monkeypatch.delitem(METERS, name)
    energy = energy_in(bench(tiny_model()))
    assert (energy["gross_j"], energy["net_j"]) == (None, None)
    assert energy["reason"] == "energy is not measured: no meter of cpu is known"
