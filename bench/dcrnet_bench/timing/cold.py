"""The first load of a model and its first inference, which no warm figure shows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.timing import NS_PER_MS


@dataclass(frozen=True, slots=True)
class ColdStart:
    """One sample each. The back end's own import is not in it.

    Attributes:
        load_ms: reading the file, which the page cache was asked to forget, checking and
            compiling it.
        first_inference_ms: of one crop, behind it.
    """

    load_ms: float
    first_inference_ms: float


def timed_load(path: Path, load: Callable[[Path], Model]) -> tuple[Model, float]:
    """A model, and the ms that ``load`` took from a cold page cache where the system has one."""
    _forget(path)
    started_ns = time.perf_counter_ns()
    model = load(path)
    return model, (time.perf_counter_ns() - started_ns) / NS_PER_MS


def timed_first(model: Model, crop: NDArray[np.uint8]) -> float:
    """ms of the first inference of (1, S, S, 3) uint8."""
    started_ns = time.perf_counter_ns()
    model.probabilities(crop)
    return (time.perf_counter_ns() - started_ns) / NS_PER_MS


def _forget(path: Path) -> None:
    if not hasattr(os, "posix_fadvise"):
        return
    try:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return  # whoever loads it says why it cannot be read
