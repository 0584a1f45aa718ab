"""What every artefact must pass before it gets its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_export.artifacts.artifact import ArtifactKind, integer_graph
from dcrnet_export.calibration.faces import PreparedCrops
from dcrnet_export.checks.accuracy import Accuracy, LabelledFaces, Verdict
from dcrnet_export.checks.parity import Parity, measure, rejection
from dcrnet_export.checks.structure import structure_problem
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_export.ir.graph import Graph
from dcrnet_export.passes.integer_reference import IntegerExecutor
from dcrnet_export.progress import Steps
from dcrnet_runtime.backends.golden import (
    GOLDEN_INPUTS,
    GOLDEN_KEY,
    Golden,
    golden_crops,
    self_test,
)
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import OUTPUT_NAME
from dcrnet_runtime.backends.precision import Precision

SATURATING_INPUTS = ("white", "half black, half white")
"""Golden inputs whose answers are held to the integer reference: recorded from a kernel that
saturates, they would hide what they are there to show."""


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """What artefacts are measured by.

    Attributes:
        faces: prepared faces.
        expected: torch's probabilities for them.
        labelled: images with labels; None if there are none.
        budgets: what is allowed.
    """

    faces: PreparedCrops
    expected: NDArray[np.float32]
    labelled: LabelledFaces | None
    tolerances: Tolerances


@dataclass(frozen=True, slots=True)
class Findings:
    """What the gates saw of an artefact.

    Attributes:
        problem: why it is rejected; None if it is not.
        parity: against torch, if it ran.
        accuracy: on labelled images, if there were any and it ran on them.
        golden: its answers to the golden inputs, if it got so far.
    """

    problem: str | None
    parity: Parity | None = None
    accuracy: Accuracy | None = None
    golden: Golden | None = None

    def compute_metrics(self, faces: PreparedCrops) -> dict[str, Any]:
        """For the card."""
        parity, accuracy = self.parity, self.accuracy
        measured = {
            "parity": parity and {**parity.to_json(), "source": faces.source},
            "accuracy": accuracy and accuracy.to_json(),
        }
        golden = {} if self.golden is None else {GOLDEN_KEY: self.golden.to_json()}
        return {"export": measured, **golden}


def check(
    path: Path, kind: ArtifactKind, graph: Graph, references: References, step: Steps
) -> Findings:
    """Structure, parity, accuracy and golden answers of a written artefact.

    Args:
        path: of the file, its card inside.
        kind: what it is.
        graph: what it was emitted from.
        yardstick: what it is measured by.
        step: times what is done.
    """
    tolerances = references.tolerances
    with step("parity", path.name):
        try:
            model = load_model(path)
            parity = measure(model, references.faces.crops, references.expected)
        except Exception as error:  # onnxruntime's exceptions share no base class
            return Findings(f"does not run: {error}")
    with step("structure", path.name):
        problem = structure_problem(kind.format, path.read_bytes(), model.card)
    problem = problem or rejection(kind.precision, parity, tolerances)
    if problem is not None:
        return Findings(problem, parity)
    accuracy = None
    if references.labelled is not None and kind.precision is not Precision.FP32:
        with step("accuracy", path.name):
            accuracy = references.labelled.measure(path, tolerances)
        if accuracy.verdict is Verdict.BEYOND:
            return Findings(f"accuracy: {accuracy.describe()}", parity, accuracy)
    with step("golden answers", path.name):
        golden = Golden.record(model, _tolerance(kind.precision, tolerances))
        if kind.precision is Precision.INT8:
            golden = _with_reference(golden, kind, graph)
    return Findings(None, parity, accuracy, golden)


def host_problem(path: Path) -> str | None:
    """Why this machine's kernels do not compute an artefact as they should, or None.

    Raises:
        DcrnetError: the artefact has no golden answers.
    """
    test = self_test(load_model(path))
    if test.passed:
        return None
    return (
        f"this machine answers the golden input {test.worst!r} {test.largest:.2f} off (allowed:"
        f" {test.tolerance:.2g}): its kernels do not compute the file's integers"
    )


def _with_reference(golden: Golden, kind: ArtifactKind, graph: Graph) -> Golden:
    """The reference's answers where this machine's are not the file's.

    Within the tolerance the machine's own stay: what rounding moves on such inputs is then not
    counted against other machines as well.
    """
    executor = IntegerExecutor(integer_graph(kind, graph))
    crops = golden_crops(graph.shapes()[graph.nodes[0].name].side)
    answers = golden.probabilities.copy()
    for row, name in enumerate(GOLDEN_INPUTS):
        if name in SATURATING_INPUTS:
            exact = executor.run(crops[row])[1][OUTPUT_NAME].ravel()
            if np.abs(exact - answers[row]).max() > golden.tolerance:
                answers[row] = exact
    return golden.with_answers(answers)


def _tolerance(precision: Precision, tolerances: Tolerances) -> float:
    match precision:
        case Precision.FP32:
            return tolerances.golden_float
        case Precision.FP16:
            return tolerances.golden_fp16
        case _:
            return tolerances.golden_integer
