"""How many instructions an inference executes, where that is counted and time is not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InstructionCount:
    """Executed instructions of one inference.

    Attributes:
        core: the processor that was played, such as ``cortex-a76``.
        total: all of them.
        by_kind: of them, by kind, such as ``dot`` (SDOT, UDOT), ``fmla`` and ``load``.
    """

    core: str
    total: int
    by_kind: dict[str, int]
