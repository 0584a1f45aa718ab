"""The JSON object, whose keys scripts rely on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dcrnet_bench.host.facts import Host
from dcrnet_bench.profiling.macs import LayerKind, MacCount
from dcrnet_bench.profiling.operators import OperatorTime
from dcrnet_bench.profiling.peak import MachinePeak
from dcrnet_bench.report import ModelMetrics, Report, RunFacts, check_writable, write
from dcrnet_bench.timing.clock import Latency
from dcrnet_bench.timing.stage import StageLatency, TimedStage
from dcrnet_runtime.errors import DcrnetError

KEYS = """
schema version
host host.cpu host.machine host.cores host.governor host.ram_gb host.system host.python
host.packages host.packages.numpy host.emulator
run run.date run.device run.threads run.runs run.warm_up_rounds run.is_steady run.source
run.frame_px run.finder run.face_count run.load_before run.load_after run.peak_rss_mb
models models.name models.path models.format models.sha256 models.size_mb models.input_px
models.macs models.macs_reason models.energy_j
models.macs_by_kind models.macs_by_kind.kind models.macs_by_kind.is_int8
models.macs_by_kind.layers models.macs_by_kind.macs models.bytes_moved models.flops
models.latency_ms models.latency_ms.median models.latency_ms.p90 models.latency_ms.min
stages stages.stage stages.model
stages.latency_ms stages.latency_ms.median stages.latency_ms.p90 stages.latency_ms.min
operators operators.model operators.operator operators.nodes
operators.latency_ms operators.latency_ms.median
peak peak.float_gmacs peak.int8_gmacs peak.copy_gb_s
notes
"""
"""All that is written, in its order."""

LATENCY = Latency(median_ms=4.00004, p90_ms=5.0, min_ms=3.0)
REPORT = Report(
    host=Host("AMD EPYC", "x86_64", 2, "", 25.28, "Linux 6", "3.11.7", {"numpy": "1.26.4"}, ""),
    run=RunFacts(
        date="2026-11-24T00:00:00+00:00",
        device="cpu",
        threads=1,
        runs=50,
        warm_up_rounds=10,
        is_steady=True,
        source="demo portrait",
        frame_px=(640, 480),
        detector="the cascade",
        face_count=1,
        load_before=0.1,
        load_after=0.2,
        peak_rss_mb=213.3,
    ),
    models=(
        ModelMetrics(
            name="a",
            path="/a",
            format="onnx",
            sha256="00",
            size_mb=12.5,
            input_px=128,
            macs=909,
            macs_reason="",
            energy_j=None,
            latency=LATENCY,
            macs_by_kind=(MacCount(LayerKind.POINTWISE, True, 2, 909),),
            bytes_moved=40,
        ),
    ),
    stages=(StageLatency(TimedStage.FIND, "", LATENCY),),
    notes=("a note",),
    operators=(OperatorTime("a", "QLinearConv", 144, 3.2),),
    peak=MachinePeak(100.0, 400.0, 40.0),
)


def keys_of(value: object, prefix: str = "") -> list[str]:
    """The key paths of an object; a list shows those of its first element."""
    if isinstance(value, list):
        return keys_of(value[0], prefix) if value else []
    if not isinstance(value, dict):
        return []
    found = []
    for key, each in value.items():
        found += [prefix + key, *keys_of(each, f"{prefix}{key}.")]
    return found


def test_every_key_is_the_one_that_scripts_know() -> None:
    assert keys_of(json.loads(REPORT.to_json())) == KEYS.split()


def test_values_stand_under_their_keys() -> None:
    document = json.loads(REPORT.to_json())
    assert document["schema"] == 1
    assert document["run"]["finder"] == "the cascade"
    assert document["models"][0]["flops"] == 2 * 909
    assert document["models"][0]["macs_by_kind"] == [
        {"kind": "1x1 convolution", "is_int8": True, "layers": 2, "macs": 909}
    ]
    assert document["models"][0]["latency_ms"] == {"median": 4.0, "p90": 5.0, "min": 3.0}
    assert document["stages"][0]["stage"] == "find faces"


def test_emulated_times_have_a_key_of_their_own() -> None:
    emulated = replace(REPORT, host=replace(REPORT.host, emulator="QEMU"))
    expected = KEYS.replace("latency_ms", "emulated_ms")
    assert keys_of(json.loads(emulated.to_json())) == expected.split()


def test_what_is_written_is_one_line(tmp_path: Path) -> None:
    write(REPORT, tmp_path / "report.json")
    assert (tmp_path / "report.json").read_text() == REPORT.to_json() + "\n"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_place_that_cannot_be_written_is_named_by_its_parameter(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match=r"^`json_file` .* name a file in a writable folder$"):
        check_writable(tmp_path)
