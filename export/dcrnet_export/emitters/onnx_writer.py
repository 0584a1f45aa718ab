"""An ONNX model under construction: nodes, weights without duplicates, and the fixed interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from dcrnet_export.ir.graph import Graph
from dcrnet_runtime.backends.content_hash import HASH_KEY, content_sha256
from dcrnet_runtime.backends.model import FEATURES_NAME, INPUT_NAME, OUTPUT_NAME

OPSET = 17
IR_VERSION = 8
PRODUCER = "dcrnet-edge"
BATCH_DIMENSION = "batch"
"""The name of a batch that the caller chooses."""


class OnnxWriter:
    """Collects nodes in order; tensors are named by the caller."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._names: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append a node with one output; returns the output's name."""
        self._nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return output

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """A weight; one that is there already under another name is used again."""
        key = str(values.dtype), values.shape, values.tobytes()
        if key not in self._names:
            self._names[key] = self.own_constant(name, values)
        return self._names[key]

    def own_constant(self, name: str, values: NDArray[Any]) -> str:
        """A weight that no other node shares."""
        self._constants[name] = numpy_helper.from_array(np.asarray(values, order="C"), name)
        return name

    def compact(self, name: str, values: NDArray[Any]) -> str:
        """A float weight stored as fp16, which is what checkpoints hold."""
        stored = self.constant(f"{name}.fp16", values.astype(np.float16))
        return self.add("Cast", [stored], f"{name}.fp32", to=TensorProto.FLOAT)

    def clamp(
        self,
        value: str,
        output: str,
        bounds: Mapping[str, str],
        between: Callable[[str, str], str] = lambda _name, value: value,
    ) -> str:
        """``Max`` and then ``Min``, as far as each has a bound.

        Args:
            value: the tensor to clamp.
            output: name for the result.
            bounds: ``Max`` or ``Min`` -> the tensor to compare with.
            between: given a name, makes of the first one's result what the second one reads.
        """
        *first, last = bounds
        for op in first:
            value = between(
                f"{output}.above", self.add(op, [value, bounds[op]], f"{output}.above")
            )
        return self.add(last, [value, bounds[last]], output)

    def model(self, graph: Graph, batch: int | None) -> onnx.ModelProto:
        """The whole model: uint8 (batch, side, side, 3) in, float (batch, labels) out, and behind
        it float (batch, C) where the graph gives features.

        Args:
            graph: whose nodes have been added.
            batch: faces a run; None for any number.
        """
        shapes = graph.shapes()
        side, labels = shapes[graph.nodes[0].name].side, shapes[graph.nodes[-1].name].channels
        rows = BATCH_DIMENSION if batch is None else batch
        widths = {OUTPUT_NAME: labels}
        if graph.feature_count:
            widths[FEATURES_NAME] = graph.feature_count
        content = helper.make_graph(
            self._nodes,
            "dcrnet",
            [helper.make_tensor_value_info(INPUT_NAME, TensorProto.UINT8, [rows, side, side, 3])],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, [rows, width])
                for name, width in widths.items()
            ],
            list(self._constants.values()),
        )
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(
            content, opset_imports=opset, ir_version=IR_VERSION, producer_name=PRODUCER
        )


def set_card(model: onnx.ModelProto, key: str, text: str) -> None:
    """Put the card and a hash of the content into the metadata, replacing any other."""
    del model.metadata_props[:]
    digest = content_sha256(model.SerializeToString(deterministic=True), text)
    helper.set_model_props(model, {key: text, HASH_KEY: digest})
