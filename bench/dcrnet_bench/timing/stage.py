"""The parts of the pipeline that are timed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dcrnet_bench.timing.clock import Latency


class TimedStage(StrEnum):
    """A part of the pipeline; ``whole`` is the sum of a round's three parts.

    ``loop`` is a frame of the live loop less finding and inference.
    """

    FIND = "find faces"
    PREPARE = "prepare"
    INFER = "inference"
    WHOLE = "whole, one face"
    LOOP = "live loop but finding and inference"


@dataclass(frozen=True, slots=True)
class StageLatency:
    """What one stage took; ``model`` is its name, empty where all share the stage."""

    stage: TimedStage
    model: str
    latency: Latency
