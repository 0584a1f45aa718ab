"""How much is measured: MLPerf's rules for a single stream, or less, labelled as less."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Protocol(StrEnum):
    """By which rule the samples were taken.

    ``full`` is the one whose figures may be published; ``quick`` is for a look; ``runs`` is a
    number of rounds that was asked for; ``emulated`` times nothing; ``tool`` is another program's
    own.
    """

    FULL = "full"
    QUICK = "quick"
    RUNS = "runs"
    EMULATED = "emulated"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class SampleRule:
    """What each repeat of a measurement has to reach, in samples and in time.

    Attributes:
        protocol: its name.
        samples: timed rounds, at least.
        seconds: of timed rounds, at least.
        warm_up_rounds: untimed ones before, at least; they go on until times have settled.
        warm_up_s: of untimed rounds, at least.
        repeats: how often all of it is done.
    """

    protocol: Protocol
    samples: int
    seconds: float
    warm_up_rounds: int
    warm_up_s: float
    repeats: int


FULL = SampleRule(Protocol.FULL, 1024, 60.0, 10, 2.0, 3)
QUICK = SampleRule(Protocol.QUICK, 64, 5.0, 10, 2.0, 3)
EMULATED = SampleRule(Protocol.EMULATED, 1, 0.0, 0, 0.0, 1)
"""Answers are wanted there, and every round takes seconds."""


def fixed_runs(rounds: int) -> SampleRule:
    """So many timed rounds, once, whatever time they take."""
    return SampleRule(Protocol.RUNS, rounds, 0.0, 0, 0.0, 1)
