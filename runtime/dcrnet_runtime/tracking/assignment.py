"""Which of the new faces is which of the known ones: the cheapest assignment."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def assign(cost: NDArray[np.float64], gate: float) -> list[tuple[int, int]]:
    """The pairs (row, column) of least total cost, each row and column at most once.

    A pair that costs ``gate`` or more is never made: leaving a row alone costs as much. The
    Hungarian method with shortest augmenting paths, O(rows² columns).

    Args:
        cost: (rows, columns), finite and not negative.
        gate: positive.
    """
    rows, columns = cost.shape
    if rows == 0 or columns == 0:
        return []
    # Each row may also take a column of its own that stands for "none of them".
    alone = np.full((rows, rows), gate)
    table = np.hstack([np.minimum(cost, gate), alone]).tolist()
    owner = _augment_all(table, rows, columns + rows)
    return sorted(
        (row, column)
        for column, row in enumerate(owner[:columns])
        if row is not None and cost[row, column] < gate
    )


def _augment_all(table: list[list[float]], rows: int, columns: int) -> list[int | None]:
    """The row that each column is given to; ``columns`` >= ``rows``."""
    row_price, column_price = [0.0] * rows, [0.0] * columns
    owner: list[int | None] = [None] * columns
    for new_row in range(rows):
        shortest = [math.inf] * columns
        reached_from = [-1] * columns
        is_done = [False] * columns
        row, last = new_row, -1
        while True:
            step, closest = math.inf, -1
            for column in range(columns):
                if is_done[column]:
                    continue
                reduced = table[row][column] - row_price[row] - column_price[column]
                if reduced < shortest[column]:
                    shortest[column], reached_from[column] = reduced, last
                if shortest[column] < step:
                    step, closest = shortest[column], column
            row_price[new_row] += step
            for column in range(columns):
                if is_done[column]:
                    column_price[column] -= step
                    row_price[owner[column]] += step  # type: ignore[index]
                else:
                    shortest[column] -= step
            is_done[closest] = True
            last = closest
            if owner[closest] is None:
                break
            row = owner[closest]  # type: ignore[assignment]
        while last >= 0:
            before = reached_from[last]
            owner[last] = new_row if before < 0 else owner[before]
            last = before
    return owner
