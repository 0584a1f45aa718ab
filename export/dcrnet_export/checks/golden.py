"""Answers to the golden inputs: what is recorded of them, and what this machine gives."""

from __future__ import annotations

import numpy as np

from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_export.passes.integer_reference import IntegerExecutor
from dcrnet_export.passes.quantization import QuantizedGraph
from dcrnet_runtime.backends.golden import GOLDEN_INPUTS, Golden, golden_crops, self_test
from dcrnet_runtime.backends.model import OUTPUT_NAME, Model
from dcrnet_runtime.backends.precision import Precision

SATURATING_INPUTS = ("white", "half black, half white")
"""Golden inputs whose answers are held to the integer reference: recorded from a kernel that
saturates, they would hide what they are there to show."""


def recorded(model: Model, precision: Precision, tolerances: Tolerances) -> Golden:
    """What a model answers on this machine, and how far another's answers may lie from it."""
    return Golden.record(model, _tolerance(precision, tolerances))


def held_to_reference(golden: Golden, quantized: QuantizedGraph) -> Golden:
    """The integer reference's answers where this machine's are not the file's.

    Within the tolerance the machine's own stay: what rounding moves on such inputs is then not
    counted against other machines as well.
    """
    executor, graph = IntegerExecutor(quantized), quantized.graph
    crops = golden_crops(graph.shapes()[graph.nodes[0].name].side)
    answers = golden.probabilities.copy()
    for row, name in enumerate(GOLDEN_INPUTS):
        if name in SATURATING_INPUTS:
            exact = executor.run(crops[row])[1][OUTPUT_NAME].ravel()
            if np.abs(exact - answers[row]).max() > golden.tolerance:
                answers[row] = exact
    return golden.with_answers(answers)


def host_problem(model: Model) -> str | None:
    """Why this machine's kernels do not compute an artifact as they should, or None.

    Raises:
        DcrnetError: the artifact has no golden answers.
    """
    test = self_test(model)
    if test.passed:
        return None
    return (
        f"this machine answers the golden input {test.worst!r} {test.largest:.2f} off (allowed:"
        f" {test.tolerance:.2g}): its kernels do not compute the file's integers"
    )


def _tolerance(precision: Precision, tolerances: Tolerances) -> float:
    match precision:
        case Precision.FP32:
            return tolerances.golden_float
        case Precision.FP16:
            return tolerances.golden_fp16
        case _:
            return tolerances.golden_integer
