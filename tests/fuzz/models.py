"""Good models and checkpoints in small, without a hash, so that damage gets as far as it can."""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
from dcrnet_runtime.backends.model import TFLITE_CARD_FILE
from dcrnet_runtime.preprocess.spec import PreprocessSpec

SIDE = 32


def card(side: int = 64) -> ModelCard:
    """What models say of themselves."""
    return ModelCard(("calm", "cross"), PreprocessSpec(size_px=side))


def onnx_model() -> bytes:
    """A tiny model with a card."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(2).normal(0, 0.02, (3, 2)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["rgb"], ["codes"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["codes"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    shapes = ("rgb", TensorProto.UINT8, [1, 64, 64, 3]), ("probabilities", 1, [1, 2])
    taken, given = (helper.make_tensor_value_info(*each) for each in shapes)
    initializers = [numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph(nodes, "tiny", [taken], [given], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {CARD_KEY: card().to_json()})
    return bytes(model.SerializeToString())


def onnx_int8() -> bytes:
    """A small quantized network, as the exporter writes it."""
    from onnx import helper

    from dcrnet_export.emitters.onnx_int8 import onnx_int8 as emitted

    model = emitted(_quantized(), 1)
    helper.set_model_props(model, {CARD_KEY: card(SIDE).to_json()})
    return bytes(model.SerializeToString())


def tflite_float() -> bytes:
    """A small network in float32."""
    from dcrnet_export.emitters.tflite_float import tflite_float as emitted

    return _with_card(emitted(_graph()))


def tflite_int8() -> bytes:
    """A small network in int8."""
    from dcrnet_export.emitters.tflite_int8 import tflite_int8 as emitted

    return _with_card(emitted(_quantized(), 1))


def checkpoint() -> bytes:
    """A small network's weights and ranges."""
    import torch

    from dcrnet_edge.models.activation_ranges import activation_ranges
    from dcrnet_edge.models.checkpoint import Checkpoint, save_checkpoint

    network = _network()
    ranges = activation_ranges(network, [torch.from_numpy(_faces()).permute(0, 3, 1, 2)])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "toy.safetensors"
        save_checkpoint(path, Checkpoint(network, card(SIDE), {SIDE: ranges}))
        return path.read_bytes()


def resume_point() -> bytes:
    """What a training goes on from, in small: tensors and numbers in torch's zip."""
    import torch

    buffer = io.BytesIO()
    torch.save({"global_step": 7, "state_dict": {"a": torch.zeros(3)}, "epoch": 1}, buffer)
    return buffer.getvalue()


def bundle() -> bytes:
    """Landmark networks, small ones."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("face_detector.tflite", "face_landmarks_detector.tflite"):
            packed.writestr(name, b"TFL3" * 64)
    return buffer.getvalue()


def _with_card(content: bytes) -> bytes:
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as appended:
        appended.writestr(TFLITE_CARD_FILE, card(SIDE).to_json())
    return file.getvalue()


def _faces() -> Any:
    return np.random.default_rng(4).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)


@functools.cache
def _network() -> Any:
    """A toy that the registry knows from now on."""
    import torch
    from export.toy_networks import SeparableNet, register

    from dcrnet_edge.models import registry

    register(SeparableNet)
    torch.manual_seed(5)
    return registry.create_model(SeparableNet.architecture, labels=card().labels).eval()


def _graph() -> Any:
    import torch

    from dcrnet_edge.models.activation_ranges import activation_ranges
    from dcrnet_export.ir.lowering import lower

    seen = activation_ranges(_network(), [torch.from_numpy(_faces()).permute(0, 3, 1, 2)])
    return lower(_network(), SIDE, seen)


def _quantized() -> Any:
    from dcrnet_export.passes.channel_equalization import equalize_channels
    from dcrnet_export.passes.quantization import WeightLimit, quantize

    return quantize(equalize_channels(_graph()), next(iter(WeightLimit)))
