"""A model that cannot be made ready is told by what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from generated import TinyModel

from dcrnet_runtime.backends.failure import LoadFailure, failure_of, load_error
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.errors import DcrnetError

onnx = pytest.importorskip("onnx")


def changed(path: Path, **fields: object) -> Path:
    """The model with its first operator renamed, or with other versions."""
    model = onnx.load(path)
    model.ir_version = fields.get("ir_version", model.ir_version)
    model.opset_import[0].version = fields.get("opset", model.opset_import[0].version)
    node = model.graph.node[0]
    node.op_type = fields.get("operator", node.op_type)
    node.input[0] = fields.get("reads", node.input[0])
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ir_version": 99}, r"newer than this onnxruntime \(Unsupported model IR version: 99"),
        ({"opset": 99}, "newer than this onnxruntime"),
        ({"operator": "Nonsense"}, "has an operator that this onnxruntime lacks .*Nonsense"),
        ({"reads": "nowhere"}, "no whole ONNX or TFLite model .*'nowhere'"),
    ],
)
def test_onnxruntime_says_what_is_wrong(
    fields: dict[str, object], message: str, tiny_model: TinyModel
) -> None:
    with pytest.raises(DcrnetError, match=message):
        load_model(changed(tiny_model(), **fields))


def test_a_path_may_be_a_string(tiny_model: TinyModel) -> None:
    path = tiny_model()
    assert load_model(str(path)).sha256 == load_model(path).sha256
    with pytest.raises(DcrnetError, match=r"none\.onnx cannot be read"):
        load_model("none.onnx")


class EPFail(Exception):  # noqa: N818  (onnxruntime's own name)
    pass


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), LoadFailure.OUT_OF_MEMORY),
        (RuntimeError("std::bad_alloc"), LoadFailure.OUT_OF_MEMORY),
        (ValueError("The model is not a valid Flatbuffer buffer"), LoadFailure.DAMAGED),
        (ValueError("Didn't find op for builtin opcode 'CONV_2D'"), LoadFailure.MISSING_OPERATOR),
        (RuntimeError("Encountered unresolved custom op: Foo."), LoadFailure.MISSING_OPERATOR),
        (EPFail("QNN setup failed"), LoadFailure.ACCELERATOR),
        (RuntimeError("something else"), LoadFailure.UNKNOWN),
    ],
)
def test_failures_have_kinds(error: Exception, kind: LoadFailure) -> None:
    assert failure_of(error) is kind
    assert str(load_error("m.tflite", "ai-edge-litert", error)).count("m.tflite") == 1
