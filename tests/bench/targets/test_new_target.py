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
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.profiling.placement import Placement
from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.report.report import RunFacts
from dcrnet_bench.targets.registry import TARGETS
from dcrnet_bench.targets.target import TargetKind
from dcrnet_bench.timing.latency import Latency
from dcrnet_bench.timing.sampling import Protocol
from dcrnet_bench.timing.stage import StageLatency, TimedStage
from dcrnet_runtime.errors import DcrnetError

LATENCY = Latency(2.0, 3.0, None, 2.0, 1.0, 1.0, 3.0, 3)


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
            protocol=Protocol.RUNS,
            threads=plan.threads,
            runs=plan.runs or 0,
            repeats=1,
            warm_up_rounds=0,
            is_steady=True,
            source="nothing",
            inputs=1,
            frame_px=(1, 1),
            detector="nobody",
            face_count=0,
            peak_rss_mb=0.0,
        )
        models = tuple(
            ModelMetrics(
                name=path.name,
                path=str(path),
                format="onnx",
                sha256="00",
                size_mb=1.0,
                input_px=64,
                macs=5,
                macs_reason="",
                latency_ms=LATENCY,
                energy=InferenceEnergy(reason="wood takes none"),
                placement=Placement("beads"),
            )
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
