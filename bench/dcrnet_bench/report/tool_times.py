"""What another program measured in its own way, on a board that runs no Python."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolTimes:
    """Its figures as it gives them: they follow no rule of this bench, and have no p90.

    Attributes:
        tool: the program.
        mean_ms: of one inference.
        n: inferences.
        load_ms: of the interpreter with the model.
        first_ms: the first inference.
        min_ms: the fastest; None where the program did not tell, as in all that follow.
        max_ms: the slowest.
        sd_ms: standard deviation.
        median_ms: of all.
        p5_ms: one of twenty was at most so long.
        p95_ms: 19 of twenty were.
        memory_mb: that the process grew by, about, in 2^20 bytes.
    """

    tool: str
    mean_ms: float
    n: int
    load_ms: float
    first_ms: float
    min_ms: float | None = None
    max_ms: float | None = None
    sd_ms: float | None = None
    median_ms: float | None = None
    p5_ms: float | None = None
    p95_ms: float | None = None
    memory_mb: float | None = None
