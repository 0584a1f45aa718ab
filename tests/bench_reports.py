"""Reports of dcrnet-bench that were never measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dcrnet_bench.host.clusters import Cluster
from dcrnet_bench.host.facts import Host
from dcrnet_bench.host.power import PowerState
from dcrnet_bench.host.preflight import Doubt, Flag, HostState, Preflight
from dcrnet_bench.host.throttling import Throttling
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.profiling.instructions import InstructionCount
from dcrnet_bench.profiling.macs import LayerKind, MacCount
from dcrnet_bench.profiling.operators import OperatorTime
from dcrnet_bench.profiling.peak import MachinePeak
from dcrnet_bench.profiling.placement import Placement
from dcrnet_bench.report.model_metrics import Accuracy, ModelMetrics
from dcrnet_bench.report.ratio import Ratio
from dcrnet_bench.report.report import Report, RunFacts
from dcrnet_bench.timing.cold import ColdStart
from dcrnet_bench.timing.latency import Latency
from dcrnet_bench.timing.sampling import Protocol
from dcrnet_bench.timing.stage import StageLatency, TimedStage
from dcrnet_bench.timing.sustained import SustainedPoint, SustainedRun

MS = 1_000_000


def latency(*medians_ms: float, spread: float = 0.1, n: int = 700) -> Latency:
    """Of a repeat a median, whose samples lie evenly within ``spread`` of it."""
    steps = np.linspace(1 - spread, 1 + spread, n)
    return Latency.of(*((each * MS * steps).astype(np.int64) for each in medians_ms))


LATENCY = latency(4.0, 4.1, 4.2)
STATE = HostState(
    load=0.1,
    mhz=(2400.0, 2400.0),
    temperatures_c={"cpu": 41.5},
    throttling=Throttling((), 3, True),
    power=PowerState("mains", False, 100),
)


def model(name: str = "a.onnx", **values: Any) -> ModelMetrics:
    """With every part, where ``values`` do not say otherwise."""
    whole = ModelMetrics(
        name=name,
        path=f"/{name}",
        format="onnx",
        sha256="00",
        size_mb=12.5,
        input_px=128,
        macs=909,
        macs_reason="",
        latency_ms=LATENCY,
        energy=InferenceEnergy(0.5, 0.2, "", "RAPL", ("package-0",), 20.0, 1000.0, 0.01, 400),
        placement=Placement("onnxruntime", {"CPUExecutionProvider": 1.0}),
        cold=ColdStart(80.0, 9.0),
        macs_by_kind=(MacCount(LayerKind.POINTWISE, True, 2, 909),),
        bytes_moved=40,
        peak_share=0.5,
        copy_share=0.25,
        answer={"happiness": 1.0},
        instructions=InstructionCount("cortex-a76", 1000, {"dot": 400, "load": 600}),
        accuracy=Accuracy("ferplus", "test", 3333, 0.85, (0.84, 0.86), 0.72, 0.05),
    )
    return replace(whole, **values)


def report(*models: ModelMetrics, **values: Any) -> Report:
    """With every part, where ``values`` do not say otherwise."""
    whole = Report(
        host=Host(
            "AMD EPYC",
            "x86_64",
            2,
            "performance",
            25.28,
            "Linux 6",
            "3.11.7",
            {"numpy": "1.26.4"},
            "",
            clusters=(Cluster((0, 1), "AMD EPYC", 2400.0),),
            affinity=(0, 1),
        ),
        run=RunFacts(
            date="2026-11-24T00:00:00+00:00",
            device="cpu",
            protocol=Protocol.FULL,
            threads=1,
            runs=2100,
            repeats=3,
            warm_up_rounds=10,
            is_steady=True,
            source="demo portrait",
            inputs=8,
            frame_px=(640, 480),
            detector="the cascade",
            face_count=1,
            peak_rss_mb=213.3,
        ),
        models=models or (model(),),
        stages=(
            StageLatency(TimedStage.FIND, "", LATENCY),
            StageLatency(TimedStage.INFER, "a.onnx", LATENCY),
        ),
        notes=("a note",),
        preflight=Preflight(STATE, STATE, (Doubt(Flag.BUSY, "load average 3.00"),)),
        operators=(OperatorTime("a.onnx", "QLinearConv", 144, 3.2),),
        peak=MachinePeak(100.0, 400.0, 40.0),
        ratios=(Ratio("a.onnx", "b.onnx", 0.5, (0.4, 0.6), 700),),
        sustained=(
            SustainedRun("a.onnx", 10.0, (SustainedPoint(5.0, 4.0, 4.2, 900, 2400.0, None),)),
        ),
    )
    return replace(whole, **values)


def emulated() -> Report:
    """Of an emulated board: counts and answers, no times."""
    real = report()
    told = model(latency_ms=None, energy=InferenceEnergy(reason="emulated"), cold=None)
    return replace(
        real,
        host=replace(real.host, emulator="QEMU", machine="aarch64"),
        run=replace(real.run, protocol=Protocol.EMULATED, device="arm"),
        models=(replace(told, peak_share=None, copy_share=None),),
        stages=(),
        peak=None,
        operators=(),
        ratios=(),
        sustained=(),
    )
