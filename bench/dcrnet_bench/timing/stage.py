"""The parts of the pipeline that are timed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dcrnet_bench.timing.latency import Latency


class TimedStage(StrEnum):
    """A part of the pipeline; the whole is a round's three parts, one after the other.

    The loop is a frame of the live one less finding and inference.
    """

    FIND = "find faces"
    PREPARE = "prepare"
    INFER = "inference"
    WHOLE = "whole, one face"
    LOOP = "live loop but finding and inference"


@dataclass(frozen=True, slots=True)
class StageLatency:
    """What one stage took.

    Attributes:
        stage: which.
        model: its name, empty where all share the stage.
        latency_ms: of it within a frame; None on an emulated processor.
    """

    stage: TimedStage
    model: str
    latency_ms: Latency | None
