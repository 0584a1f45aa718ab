"""The pooled features as a second output: what files say of them, and that they are torch's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from export.fixtures import Faces, MakeFaces
from export.toy_networks import SeparableNet, save_toy
from generated import LABELS, FixedDetector, synthetic_face, synthetic_frame
from numpy.typing import NDArray
from torch import nn

from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_export import ArtifactKind, ExportedFile, Precision, export, prepare_job
from dcrnet_export.artifacts.kind import build_content
from dcrnet_export.checks.examination import loaded
from dcrnet_export.checks.features import (
    FeatureParity,
    feature_problem,
    measure_features,
    torch_features,
)
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_export.ir.features import with_features
from dcrnet_export.ir.graph import Graph, Input, MaxPool, Node, Softmax
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import feature_model
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import shipped_model
from dcrnet_runtime.recognizer import Recognizer

KINDS = [
    ArtifactKind(form, precision, features=True)
    for form, precision in (
        ("onnx", Precision.FP32),
        ("onnx", Precision.FP16),
        ("onnx", Precision.INT8),
        ("onnx", Precision.INT8_QDQ),
        ("tflite", Precision.FP32),
        ("tflite", Precision.INT8),
    )
]
SIDE = 64


@pytest.fixture(scope="module")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory, make_faces: MakeFaces) -> Path:
    """A small random network with activation ranges."""
    path = tmp_path_factory.mktemp("toy") / "toy.safetensors"
    save_toy(SeparableNet, path, make_faces(64, SIDE, seed=2))
    return path


@pytest.fixture(scope="module")
def exported(
    checkpoint_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[ArtifactKind, ExportedFile]:
    """Each kind of file, with features and, of int8 ONNX, without."""
    kinds = [*KINDS, replace(KINDS[2], features=False)]
    job = prepare_job(checkpoint_path, kinds)
    folder = tmp_path_factory.mktemp("files")
    return {each.kind: each for each in export(job, kinds, folder)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.file_name("toy", SIDE))
def test_files_give_torch_s_features(
    checkpoint_path: Path,
    exported: dict[ArtifactKind, ExportedFile],
    make_faces: MakeFaces,
    kind: ArtifactKind,
) -> None:
    file = exported[kind]
    assert file.problem is None
    assert file.path is not None
    assert "-features." in file.path.name
    faces = make_faces(5, SIDE, seed=9)
    want = _embedded(checkpoint_path, faces)
    answers = feature_model(load_model(file.path)).answers(faces)
    np.testing.assert_array_equal(
        answers.probabilities, load_model(file.path).probabilities(faces)
    )
    assert answers.features.dtype == np.float32
    assert answers.features.shape == want.shape
    errors = np.linalg.norm(answers.features - want, axis=1) / np.linalg.norm(want, axis=1)
    allowed = {Precision.FP32: 1e-4, Precision.FP16: 1e-2}.get(kind.precision, 0.15)
    assert errors.max() < allowed


def test_first_output_is_that_of_the_file_without(
    exported: dict[ArtifactKind, ExportedFile], make_faces: MakeFaces
) -> None:
    """A reader that takes one output, by its name or its place, has what it had."""
    with_them, without = exported[KINDS[2]].path, exported[replace(KINDS[2], features=False)].path
    assert with_them is not None
    assert without is not None
    faces = make_faces(3, SIDE, seed=9)
    for face in faces:
        old, new = (
            onnxruntime.InferenceSession(path).run(None, {"rgb": face[None]})
            for path in (without, with_them)
        )
        assert len(old) == 1
        np.testing.assert_array_equal(old[0], new[0])


def test_card_describes_them(exported: dict[ArtifactKind, ExportedFile]) -> None:
    path = exported[KINDS[2]].path
    assert path is not None
    card = load_model(path).card
    assert card.feature_count == 48
    described = card.export["features"]
    assert described["name"] == "features"
    assert described["dtype"] == "float32"
    assert described["shape"] == [1, 48]
    parity = card.metrics["export"]["features"]
    assert 0 < parity["mean"] <= parity["largest"] < 0.15
    assert 0.98 < parity["cosine"] <= 1
    without = exported[replace(KINDS[2], features=False)].path
    assert without is not None
    assert "features" not in load_model(without).card.export


def test_recognizer_gives_them_when_asked(exported: dict[ArtifactKind, ExportedFile]) -> None:
    path = exported[KINDS[2]].path
    assert path is not None
    detector, frame = FixedDetector(synthetic_face()), synthetic_frame()
    model = load_model(path)
    [plain] = Recognizer(model, detector).recognize(frame)
    [asked] = Recognizer(model, detector, gives_features=True).recognize(frame)
    assert plain.features is None
    assert asked.features is not None
    assert asked.features.shape == (48,)
    np.testing.assert_array_equal(plain.probabilities, asked.probabilities)


def test_model_without_them_names_the_command() -> None:
    model = load_model(shipped_model())
    with pytest.raises(DcrnetError, match=r"dcrnet-export .* --features"):
        Recognizer(model, FixedDetector(), gives_features=True)


def test_features_of_a_map_are_refused() -> None:
    graph = Graph((Node("rgb", Input(8)), Node("pool", MaxPool(2, 2), ("rgb",))))
    graph = Graph((*graph.nodes, Node("probabilities", Softmax(), ("pool",))))
    with pytest.raises(DcrnetError, match="read a map"):
        with_features(graph)


def test_value_of_the_same_name_makes_room(checkpoint_path: Path) -> None:
    graph = prepare_job(checkpoint_path, [KINDS[0]]).graph()
    first = next(node for node in graph.nodes if node.name == "pooled")
    renamed = [
        replace(
            node,
            name="features" if node is first else node.name,
            inputs=tuple("features" if each == "pooled" else each for each in node.inputs),
        )
        for node in graph.nodes
    ]
    given = with_features(Graph(tuple(renamed), graph.ranges))
    assert given.outputs == ["probabilities", "features"]
    assert given.by_name()["features"].inputs == ("features.value",)


def test_wrong_features_reject_a_file(checkpoint_path: Path, make_faces: MakeFaces) -> None:
    network = load_checkpoint(checkpoint_path).network
    job = prepare_job(checkpoint_path, [KINDS[0]])
    graph = with_features(job.graph())
    wrong = [  # another vector that the graph has
        replace(node, inputs=("classifier",)) if node.name == "features" else node
        for node in graph.nodes
    ]
    moved = sorted(wrong, key=lambda node: node.name in ("features", "probabilities"))
    card = replace(
        job.checkpoint.card,
        provenance={"export": {"features": {"shape": [1, len(LABELS)]}}},
    )
    model = loaded("wrong", build_content(KINDS[0], Graph(tuple(moved), graph.ranges), card))
    faces = make_faces(2, SIDE)
    with pytest.raises(ValueError, match="torch has"):
        measure_features(model, faces, torch_features(network, faces))


def test_features_that_are_far_off_are_a_problem() -> None:
    far = FeatureParity(3, largest=0.9, mean=0.8, cosine=0.4)
    for precision in (Precision.FP32, Precision.FP16, Precision.INT8):
        problem = feature_problem(precision, far, Tolerances())
        assert problem is not None
        assert "of their length" in problem
    none = FeatureParity(3, float("nan"), float("nan"), float("nan"))
    assert feature_problem(Precision.INT8, none, Tolerances()) is not None


def _embedded(checkpoint: Path, faces: Faces) -> NDArray[np.float32]:
    """What the toy's classifier reads, by torch alone."""
    network = load_checkpoint(checkpoint).network
    read: list[torch.Tensor] = []
    layer = network.get_submodule(network.classifier_path)
    assert isinstance(layer, nn.Linear)
    hook = layer.register_forward_hook(lambda _, inputs, __: read.append(inputs[0]))
    with torch.inference_mode():
        network(torch.from_numpy(faces).permute(0, 3, 1, 2))
    hook.remove()
    return torch.cat(read).numpy()
