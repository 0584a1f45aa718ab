"""Whether a file is built as the runtime and other tools expect."""

from __future__ import annotations

from collections.abc import Sequence

from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.model import INPUT_NAME, OUTPUT_NAME, ModelFormat

_STANDARD_DOMAINS = {"", "ai.onnx"}


def structure_problem(form: ModelFormat, content: bytes, card: ModelCard) -> str | None:
    """What is wrong with a file's structure, or None.

    Args:
        form: of the file.
        content: of the file.
        card: what it says about itself.
    """
    match form:
        case ModelFormat.ONNX:
            return _onnx_problem(content, card)
        case ModelFormat.TFLITE:
            return _tflite_problem(content, card)


def _onnx_problem(content: bytes, card: ModelCard) -> str | None:
    import onnx
    from onnx import TensorProto

    model = onnx.load_from_string(content)
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # the checker and shape inference share no base class
        return f"is no valid ONNX: {str(error).strip().splitlines()[0]}"
    foreign = {node.op_type for node in model.graph.node if node.domain not in _STANDARD_DOMAINS}
    if foreign:
        return f"uses operators outside the ONNX standard: {', '.join(sorted(foreign))}"
    if any(each.data_location == TensorProto.EXTERNAL for each in model.graph.initializer):
        return "keeps weights in another file"
    side, labels = card.preprocess.size_px, len(card.labels)
    wanted = [
        (INPUT_NAME, TensorProto.UINT8, [side, side, 3]),
        (OUTPUT_NAME, TensorProto.FLOAT, [labels]),
    ]
    found = [
        (
            value.name,
            value.type.tensor_type.elem_type,
            [dim.dim_value for dim in value.type.tensor_type.shape.dim][1:],
        )
        for value in (*model.graph.input, *model.graph.output)
    ]
    return _interface_problem(found, wanted)


def _tflite_problem(content: bytes, card: ModelCard) -> str | None:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content)
    if model.SubgraphsLength() != 1:
        return f"has {model.SubgraphsLength()} subgraphs instead of one"
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    if any(code.BuiltinCode() == schema.BuiltinOperator.CUSTOM for code in codes):
        return "uses custom operators"
    graph = model.Subgraphs(0)
    indices = [*graph.InputsAsNumpy().tolist(), *graph.OutputsAsNumpy().tolist()]
    tensors = [graph.Tensors(i) for i in indices]
    side, labels = card.preprocess.size_px, len(card.labels)
    wanted = [
        (INPUT_NAME, schema.TensorType.UINT8, [side, side, 3]),
        (OUTPUT_NAME, schema.TensorType.FLOAT32, [labels]),
    ]
    found = [
        (tensor.Name().decode(), tensor.Type(), tensor.ShapeAsNumpy().tolist()[1:])
        for tensor in tensors
    ]
    return _interface_problem(found, wanted)


def _interface_problem(
    found: Sequence[tuple[str, int, list[int]]], wanted: Sequence[tuple[str, int, list[int]]]
) -> str | None:
    if found == wanted:
        return None
    return f"has the interface {found} instead of {wanted} (name, element type, shape)"
