"""A new target is one file and one registration: a toy one, asked for as a user asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dcrnet_bench import Device, Plan, Report, open_target
from dcrnet_bench.cli import bench as cli
from dcrnet_bench.host.facts import Host
from dcrnet_bench.report import ModelMetrics, RunFacts
from dcrnet_bench.targets.registry import TARGETS
from dcrnet_bench.targets.target import TargetKind
from dcrnet_bench.timing.clock import Latency
from dcrnet_bench.timing.stage import StageLatency, TimedStage
from dcrnet_runtime.errors import DcrnetError

LATENCY = Latency(median_ms=2.0, p90_ms=3.0, min_ms=1.0)


class Abacus:
    """A processor of wood, which needs no network to know its figures."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def measure(self, plan: Plan, warn: Callable[[str], None]) -> Report:
        warn("beads stick")
        host = Host("abacus", "wood", 1, "", 0.0, "none", "none", {}, "")
        run = RunFacts(
            date="2026-11-24T00:00:00+00:00",
            device=self.device.value,
            threads=plan.threads,
            runs=plan.runs,
            warm_up_rounds=0,
            is_steady=True,
            source="nothing",
            frame_px=(1, 1),
            detector="nobody",
            face_count=0,
            load_before=0.0,
            load_after=0.0,
            peak_rss_mb=0.0,
        )
        models = tuple(
            ModelMetrics(path.name, str(path), "onnx", "00", 1.0, 64, 5, "", None, LATENCY)
            for path in plan.models
        )
        stages = tuple(StageLatency(TimedStage.INFER, each.name, LATENCY) for each in models)
        return Report(host, run, models, stages, ())


def test_the_command_measures_on_a_target_that_was_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TARGETS, "abacus", TargetKind(frozenset({Device.GPU}), Abacus))
    target = tmp_path / "report.json"
    arguments = ["a.onnx", "b.onnx", "--device", "gpu", "--runs", "7", "--json", str(target)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr == "warning: beads stick\n"
    document = json.loads(result.stdout.splitlines()[-1])
    assert json.loads(target.read_text()) == document
    assert document["host"]["cpu"] == "abacus"
    assert (document["run"]["device"], document["run"]["runs"]) == ("gpu", 7)
    assert [model["name"] for model in document["models"]] == ["a.onnx", "b.onnx"]
    assert [stage["latency_ms"]["median"] for stage in document["stages"]] == [2.0, 2.0]


def test_what_a_target_says_on_opening_is_told_as_the_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(device: Device) -> Abacus:
        raise DcrnetError(f"`device` {device}: no beads: buy some")

    monkeypatch.setitem(TARGETS, "abacus", TargetKind(frozenset({Device.GPU}), refuse))
    result = CliRunner().invoke(cli.app, ["--device", "gpu"])
    assert (result.exit_code, result.stderr) == (2, "error: --device gpu: no beads: buy some\n")


def test_others_devices_are_measured_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "abacus", TargetKind(frozenset({Device.GPU}), Abacus))
    assert not isinstance(open_target(Device.CPU), Abacus)
