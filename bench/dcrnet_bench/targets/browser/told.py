"""What the page tells of its measurement: it comes from outside, and is checked."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.timing.latency import Latency
from dcrnet_bench.timing.stage import TimedStage
from dcrnet_runtime.timing import NS_PER_MS

MAX_BYTES = 1 << 16
MAX_ROUNDS = 1500
"""So many times of every stage fit into that."""

_STAGES = {
    "find": TimedStage.FIND,
    "prepare": TimedStage.PREPARE,
    "network": TimedStage.INFER,
    "whole": TimedStage.WHOLE,
    "rest": TimedStage.LOOP,
}
_LONGEST_TEXT = 400
_LONGEST_MS = 600_000.0
_MOST_CORES = 1024


@dataclass(frozen=True, slots=True)
class PageReport:
    """One report of the page's.

    Attributes:
        user_agent: the browser's name for itself, printable characters alone.
        cores: that the browser admits to.
        threads: that computed.
        simd: ``relaxed`` or ``fixed``.
        model: latency of the model alone.
        stages: of each part of a frame.
        answer: probabilities for the first face, in the labels' order.
        warm_up_rounds: untimed ones before.
    """

    user_agent: str
    cores: int
    threads: int
    simd: str
    model: Latency
    stages: dict[TimedStage, Latency]
    answer: tuple[float, ...]
    warm_up_rounds: int

    @classmethod
    def parse(cls, content: bytes) -> PageReport:
        """Read what the page posts.

        Raises:
            ValueError: it is no such report; says what is wrong.
        """
        if len(content) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        try:
            values = json.loads(content)
        except RecursionError as error:
            raise ValueError("it is nested without an end") from error
        if not isinstance(values, dict):
            raise ValueError("it is no object")
        try:
            return cls(
                user_agent=_text(values["user_agent"]),
                cores=_whole(values["cores"], _MOST_CORES),
                threads=_whole(values["threads"], _MOST_CORES),
                simd=_one_of(values["simd"], ("relaxed", "fixed")),
                model=Latency.of(_times_ns(values["model_ms"])),
                stages={
                    stage: Latency.of(_times_ns(values["stages_ms"][name]))
                    for name, stage in _STAGES.items()
                },
                answer=tuple(_number(value, 1.0) for value in values["answer"]),
                warm_up_rounds=_whole(values["warm_up_rounds"], 1_000_000),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"a field is missing or of another kind ({error})") from error


def _number(value: Any, most: float) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or not 0 <= value <= most:
        raise ValueError(f"{value!r} is no number from 0 to {most:g}")
    return float(value)


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r} is no whole number from 0 to {most}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return "".join(letter for letter in value if letter.isprintable())[:_LONGEST_TEXT]


def _one_of(value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return str(value)


def _times_ns(values: Any) -> NDArray[np.int64]:
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_ROUNDS:
        raise ValueError(f"times are no list of 1 to {MAX_ROUNDS}")
    times_ns = [round(_number(value, _LONGEST_MS) * NS_PER_MS) for value in values]
    return np.array(times_ns, np.int64)
