"""The arithmetic on boards in docs/arm.md is that of docs/figures, and computes what it says."""

from __future__ import annotations

import pytest
from docs.write_boards import COMMAND, PAGE, Board, written

COUNTS = {
    **{"dot": 400, "matrix": 0, "fmla": 100, "widening": 300},
    **{"load": 150, "store": 50, "other": 200},
}


def core(**limits: int | None) -> Board:
    """Of 1 MHz, so that the cycles of a frame are easily told."""
    known: dict[str, int | None] = {"issue": 4, "vector": None, "widening": None, "memory": None}
    return Board("a board", "a core", 0.001, "cortex-a76", **(known | limits))  # type: ignore[arg-type]


def test_the_page_has_the_table_of_now() -> None:
    assert written(PAGE.read_text()) == PAGE.read_text(), f"run: {COMMAND}"


@pytest.mark.parametrize(
    ("limits", "cycles"),
    [
        ({}, 300),  # all 1200 by 4
        ({"vector": 2}, 400),  # 400 + 100 + 300 by 2
        ({"vector": 4, "widening": 1}, 300),
        ({"issue": 8, "vector": 4, "widening": 1}, 300),  # 300 widening
        ({"issue": 8, "vector": 4, "memory": 1}, 200),  # 150 + 50
    ],
)
def test_a_frame_takes_the_most_limited_kinds_cycles(
    limits: dict[str, int], cycles: float
) -> None:
    board = core(**limits)
    assert board.least_cycles(COUNTS) == cycles
    assert board.most_fps(COUNTS) == pytest.approx(1e6 / cycles)


def test_one_instruction_a_cycle_is_that() -> None:
    assert core(vector=1).fps_at_one_a_cycle(COUNTS) == pytest.approx(1e6 / 1200)
