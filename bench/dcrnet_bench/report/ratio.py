"""How much slower or faster a model is than another one that ran beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of a model's time to the baseline's, round by round.

    Attributes:
        model: its name.
        baseline: the other's name.
        ratio: median of the rounds' ratios; below 1 the model is faster.
        interval: 95 % of ``ratio``, by a bootstrap of blocks of neighbouring rounds.
        pairs: rounds.
    """

    model: str
    baseline: str
    ratio: float
    interval: tuple[float, float]
    pairs: int
