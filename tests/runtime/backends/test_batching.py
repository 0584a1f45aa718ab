"""Crops in batches."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dcrnet_runtime.backends.runners.batching import in_batches


@pytest.mark.parametrize("size", [None, 1, 4, 7, 40])
@pytest.mark.parametrize("count", [1, 7, 33])
def test_rows_keep_their_order_and_number(size: int | None, count: int) -> None:
    seen: list[int] = []

    def run(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        seen.append(len(batch))
        return batch[:, 0, 0, :1].astype(np.float32)

    crops = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    rows = in_batches(run, crops, size, 1)
    assert rows[:, 0].tolist() == list(range(count))
    assert sum(seen) >= count
    if size is not None:
        assert set(seen) == {size}
