"""A model file's graph, as far as work can be counted from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcrnet_runtime.backends.interpreter import load_interpreter
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.installation import extra_command

_STANDARD_DOMAINS = ("", "ai.onnx")


class NotCountedError(Exception):
    """A graph's work cannot be told; the text says why."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Values between nodes, of one crop.

    Attributes:
        shape: each side.
        item_bytes: of one value.
    """

    shape: tuple[int, ...]
    item_bytes: int


@dataclass(frozen=True, slots=True)
class Node:
    """One operation.

    Attributes:
        operator: its type, in the format's own words; ``domain.type`` where it is none of the
            standard's.
        name: of the node itself; may be empty.
        inputs: None where the shape is not known; one that is left out is empty.
        outputs: likewise.
        groups: of a convolution.
        is_transposed: whether a product's first factor is transposed.
    """

    operator: str
    name: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor | None, ...]
    groups: int = 1
    is_transposed: bool = False


_LEFT_OUT = Tensor((0,), 1)


def read_graph(path: Path, model_format: ModelFormat) -> list[Node]:
    """The nodes of a model, for one crop.

    Raises:
        NotCountedError: what reads the graph is not installed, or does not show it.
    """
    match model_format:
        case ModelFormat.ONNX:
            return _read_onnx(path)
        case ModelFormat.TFLITE:
            return _read_tflite(path)


def known(node: Node, tensor: Tensor | None) -> Tensor:
    """``tensor`` of ``node``, whose shape is needed.

    Raises:
        NotCountedError: it is not known.
    """
    if tensor is None:
        raise NotCountedError(f"no shape is inferred around {node.operator} {node.name}".strip())
    return tensor


def _read_onnx(path: Path) -> list[Node]:
    try:
        import onnx
        from onnx import inliner, shape_inference
    except ImportError as error:
        raise NotCountedError(f"needs {extra_command('bench')}") from error
    model = onnx.load(str(path))
    if model.functions:
        model = inliner.inline_local_functions(model)
    for value in model.graph.input:
        # A free batch is counted as one crop.
        value.type.tensor_type.shape.dim[0].dim_value = 1
    tensors = _onnx_tensors(shape_inference.infer_shapes(model, data_prop=True).graph)
    return [_onnx_node(node, tensors) for node in model.graph.node]


def _onnx_tensors(graph: Any) -> dict[str, Tensor]:
    """Those whose shapes are known in full, by name."""
    from onnx import helper

    def tensor(shape: Any, element: int) -> Tensor:
        item_bytes = helper.tensor_dtype_to_np_dtype(element).itemsize if element else 0
        return Tensor(tuple(shape), item_bytes)

    tensors = {each.name: tensor(each.dims, each.data_type) for each in graph.initializer}
    tensors[""] = _LEFT_OUT
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                tensors[node.output[0]] = tensor(attribute.t.dims, attribute.t.data_type)
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if all(dim.HasField("dim_value") for dim in dims):
            shape = [dim.dim_value for dim in dims]
            tensors[value.name] = tensor(shape, value.type.tensor_type.elem_type)
    return tensors


def _onnx_node(node: Any, tensors: Mapping[str, Tensor]) -> Node:
    attributes = {attribute.name: attribute.i for attribute in node.attribute}
    standard = node.domain in _STANDARD_DOMAINS
    return Node(
        operator=node.op_type if standard else f"{node.domain}.{node.op_type}",
        name=node.name,
        inputs=tuple(map(tensors.get, node.input)),
        outputs=tuple(map(tensors.get, node.output)),
        groups=attributes.get("group", 1),
        is_transposed=bool(attributes.get("transA", 0)),
    )


def _read_tflite(path: Path) -> list[Node]:
    interpreter = load_interpreter(path.read_bytes(), threads=1)
    if not hasattr(interpreter, "_get_ops_details"):
        raise NotCountedError("this TFLite interpreter does not show its graph")
    tensors = {
        detail["index"]: Tensor(
            tuple(map(int, detail["shape"])), np.dtype(detail["dtype"]).itemsize
        )
        for detail in interpreter.get_tensor_details()
    }
    tensors[-1] = _LEFT_OUT
    # Before tensors are allocated no delegate has swallowed a part of the graph.
    return [
        Node(
            operator=operation["op_name"],
            name="",
            inputs=tuple(tensors.get(int(index)) for index in operation["inputs"]),
            outputs=tuple(tensors.get(int(index)) for index in operation["outputs"]),
        )
        for operation in interpreter._get_ops_details()
    ]
