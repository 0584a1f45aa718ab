"""What this machine can do at most, measured in the run that is judged by it.

Matrix products run in ONNX Runtime, as the models do; a copy is of more than most caches hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.profiling.product_model import product_model
from dcrnet_runtime.timing import Task, interleaved_ns

_SIDE = 512
_COPY_BYTES = 1 << 26
_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class MachinePeak:
    """The best of some rounds, with as many threads as the models have.

    Attributes:
        float_gmacs: 10^9 multiply-accumulates a second of a product of 512 x 512 matrices,
            float32.
        int8_gmacs: the same of uint8 with int8.
        copy_gb_s: 10^9 bytes a second, read and written, of a copy of 64 MB.
    """

    float_gmacs: float
    int8_gmacs: float
    copy_gb_s: float


def measure_peak(threads: int) -> MachinePeak:
    """Some tenths of a second's work."""
    random = np.random.default_rng(0)
    weights = random.integers(-127, 128, (_SIDE, _SIDE), np.int8)
    left = random.integers(0, 256, (_SIDE, _SIDE), np.uint8)
    real = product_model("MatMul", weights.astype(np.float32), "float32", "float32")
    integer = product_model("MatMulInteger", weights, "uint8", "int32")
    parts = [np.ones((2, _COPY_BYTES // threads), np.uint8) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        copies = [partial(np.copyto, part[0], part[1]) for part in parts]
        tasks: list[Task] = [
            _product(real, left.astype(np.float32), threads),
            _product(integer, left, threads),
            partial(_together, pool, copies),
        ]
        float_ns, int8_ns, copy_ns = np.min(interleaved_ns(tasks, _ROUNDS), axis=0).tolist()
    copied = sum(part.nbytes for part in parts)
    return MachinePeak(_SIDE**3 / float_ns, _SIDE**3 / int8_ns, copied / copy_ns)


def _product(model: bytes, left: NDArray[np.generic], threads: int) -> Task:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return partial(session.run, None, {"x": left})


def _together(pool: ThreadPoolExecutor, tasks: Sequence[Callable[[], object]]) -> None:
    for running in [pool.submit(task) for task in tasks]:
        running.result()
