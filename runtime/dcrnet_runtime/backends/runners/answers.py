"""Whether what a model answered can be probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError

_TOLERANCE = 0.05
"""Of a row's sum and of each value: 8-bit probabilities of some ten labels add up to that far."""


def checked_answers(rows: NDArray[np.float32], count: int, labels: int) -> NDArray[np.float32]:
    """The rows, when each is a distribution.

    Args:
        rows: what the model answered.
        count: how many crops it was asked of.
        labels: how many values each has.

    Returns:
        (count, labels) float32.

    Raises:
        DcrnetError: they have another shape, are not finite, or do not add up to 1.
    """
    check_shape(rows, count, labels)
    with np.errstate(invalid="ignore", over="ignore"):
        # A comparison with what is no number is false.
        is_near_one = np.abs(rows.sum(axis=1) - 1) <= _TOLERANCE
        is_distribution = is_near_one & (rows >= -_TOLERANCE).all(axis=1)
    if is_distribution.all():
        return rows
    worst = int(np.argmin(is_distribution))
    shown = ", ".join(f"{each:.3g}" for each in rows[worst])
    raise DcrnetError(
        f"the model's answer ({shown}) is no probabilities: the file is damaged, or this machine"
        " computes it wrongly; dcrnet-run --self-test --model FILE tells, or export it again"
    )


def check_shape(rows: NDArray[np.float32], count: int, labels: int) -> None:
    """Refuse what a model answered in another shape than it declares.

    Raises:
        DcrnetError: it is not (count, labels).
    """
    if np.shape(rows) != (count, labels):
        raise DcrnetError(
            f"the model answers in the shape {np.shape(rows)} and declares {(count, labels)}: the"
            " file was edited or damaged, export it again"
        )
