"""Any number of crops through a graph that takes so many at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.model import Answers
from dcrnet_runtime.backends.runners.answers import check_shape
from dcrnet_runtime.errors import DcrnetError

_CHUNK = 16
"""Crops a run where the graph takes any number; more would only need more memory."""


def in_batches(
    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    crops: NDArray[np.uint8],
    size: int | None,
    labels: int,
) -> NDArray[np.float32]:
    """The rows of all crops.

    Args:
        run: (n, S, S, 3) uint8 to (n, labels), overwriting nothing that it gave before.
        crops: (N, S, S, 3) uint8.
        size: the n that ``run`` takes; None for any. A last batch that is not full is filled
            up with its last crop, whose repeats are dropped again.
        labels: how many values a row has.

    Returns:
        (N, labels) float32.

    Raises:
        DcrnetError: ``run`` gives another shape.
    """
    step = size or _CHUNK
    rows = []
    for start in range(0, len(crops), step):
        batch = crops[start : start + step]
        missing = step - len(batch) if size else 0
        filled = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])
        answered = run(filled)
        check_shape(answered, len(filled), labels)
        rows.append(answered[: len(batch)])
    return np.concatenate(rows)


def split_answers(rows: NDArray[np.float32], labels: int) -> Answers:
    """(N, labels + C) float32 rows as probabilities and features.

    Raises:
        DcrnetError: a feature is not finite.
    """
    features = rows[:, labels:]
    if not np.isfinite(features).all():
        raise DcrnetError(
            "the model's features are not all numbers: the file is damaged, or this machine"
            " computes it wrongly; dcrnet-run --self-test --model FILE tells, or export it again"
        )
    return Answers(rows[:, :labels], features)
