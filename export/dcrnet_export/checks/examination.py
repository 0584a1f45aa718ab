"""What every artifact must pass before it gets its name, in memory."""

from __future__ import annotations

from pathlib import Path

from dcrnet_export.artifacts.kind import ArtifactKind, integer_graph
from dcrnet_export.checks.accuracy import Verdict, measure_accuracy
from dcrnet_export.checks.features import feature_problem, measure_features
from dcrnet_export.checks.findings import Findings
from dcrnet_export.checks.golden import held_to_reference, recorded
from dcrnet_export.checks.parity import measure, rejection
from dcrnet_export.checks.references import References
from dcrnet_export.ir.graph import Graph
from dcrnet_export.progress import Steps
from dcrnet_runtime.backends.backend import ModelFile, SessionOptions
from dcrnet_runtime.backends.model import Model, ModelFormat
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.backends.registry import backend_for


def loaded(name: str, content: bytes) -> Model:
    """A model of bytes that are on no disk.

    Args:
        name: for people.
        content: an artifact's, its card inside.

    Raises:
        DcrnetError: this machine cannot load it.
    """
    file = ModelFile(Path(name), content, ModelFormat.of(content))
    return backend_for(file.format).load(file, SessionOptions())


def examine(
    name: str,
    content: bytes,
    kind: ArtifactKind,
    graph: Graph,
    references: References,
    step: Steps,
) -> Findings:
    """Structure, parity, features, accuracy and golden answers of an artifact.

    Args:
        name: of its file, for people.
        content: its bytes, a card inside.
        kind: what it is.
        graph: what it was emitted from.
        references: what it is measured by.
        step: times what is done.
    """
    tolerances, faces = references.tolerances, references.faces
    with step("parity", name):
        try:
            model = loaded(name, content)
            parity = measure(model, faces.crops, references.expected)
        except Exception as error:  # onnxruntime's exceptions share no base class
            return Findings(f"does not run: {error}")
    with step("structure", name):
        problem = kind.file_format.structure_problem(content, model.card)
    problem = problem or rejection(kind.precision, parity, tolerances)
    if problem is not None:
        return Findings(problem, parity)
    features = None
    if kind.features and references.features is not None:
        with step("features", name):
            features = measure_features(model, faces.crops, references.features)
        problem = feature_problem(kind.precision, features, tolerances)
        if problem is not None:
            return Findings(problem, parity, features=features)
    accuracy = None
    if references.labelled is not None and kind.precision is not Precision.FP32:
        with step("accuracy", name):
            accuracy = measure_accuracy(model, references.labelled, tolerances)
        if accuracy.verdict is Verdict.BEYOND:
            return Findings(
                f"accuracy: {accuracy.describe()}", parity, accuracy, features=features
            )
    with step("golden answers", name):
        golden = recorded(model, kind.precision, tolerances)
        if kind.precision is Precision.INT8:
            golden = held_to_reference(golden, integer_graph(kind, graph))
    return Findings(None, parity, accuracy, golden, features)
