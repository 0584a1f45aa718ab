"""Good inputs of each kind, and how they are spoilt."""

from __future__ import annotations

import functools
import io
import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image

_PIXELS = np.random.default_rng(3).integers(0, 256, (24, 32, 3), dtype=np.uint8)
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_WORDS = (b"", b"\0" * 64, b"-1", b"1e999", b"NaN", b"[" * 2000, b'{"a":' * 500, b"\xff\xfe")
_TEXTS = (
    "a",
    "=cmd|' /C calc'!A0",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "\0",
    "../",
    "é",
    "{",
    "%s",
    "\n",
)


def picture(ending: str) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    frames = [Image.fromarray(_PIXELS), Image.fromarray(_PIXELS[::-1])]
    several = {"save_all": True, "append_images": frames[1:]} if ending in ("apng", "gif") else {}
    name = {"apng": "png", "jpg": "jpeg", "jp2": "jpeg2000", "tif": "tiff", "pnm": "ppm"}
    frames[0].save(buffer, name.get(ending, ending), **several)
    return buffer.getvalue()


def video(ending: str) -> bytes:
    """A clip of a few frames."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"clip.{ending}"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 24))
        for _ in range(4):
            writer.write(_PIXELS)
        writer.release()
        return path.read_bytes()


def playlist() -> bytes:
    """A list of a stream's pieces."""
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\na.ts\n#EXT-X-ENDLIST\n"


def onnx_model() -> bytes:
    """A tiny model with a card, without a hash, so that damage gets as far as it can."""
    from onnx import TensorProto, helper, numpy_helper

    from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
    from dcrnet_runtime.preprocess.spec import PreprocessSpec

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
    card = ModelCard(("calm", "cross"), PreprocessSpec(size_px=64))
    helper.set_model_props(model, {CARD_KEY: card.to_json()})
    return bytes(model.SerializeToString())


def card() -> bytes:
    """What models say of themselves."""
    from dcrnet_runtime.backends.card import ModelCard
    from dcrnet_runtime.preprocess.spec import PreprocessSpec

    return ModelCard(("calm", "cross"), PreprocessSpec(size_px=64)).to_json().encode()


def settings() -> bytes:
    """Options of ``dcrnet-run``."""
    return b'source = "0"\nmax-faces = 3\nsmoothing = 0.3\nblur-faces = true\njson = "-"\n'


def recipe() -> bytes:
    """Settings of a training."""
    return b"[recipe]\nepochs = 9\nlearning_rate = 0.1\nprogressive = [[64, 2]]\n"


def bundle() -> bytes:
    """Landmark networks, small ones."""
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("face_detector.tflite", "face_landmarks_detector.tflite"):
            packed.writestr(name, b"TFL3" * 64)
    return buffer.getvalue()


def faces_shard() -> bytes:
    """A cached array file."""
    buffer = io.BytesIO()
    np.savez(buffer, boxes=np.zeros((1, 4)), landmarks=np.zeros((1, 468, 2), np.float32))
    return buffer.getvalue()


def checkpoint() -> bytes:
    """A safetensors file with a card, whose tensors are of no network."""
    from safetensors.numpy import save

    from dcrnet_runtime.backends.card import CARD_KEY

    metadata = {CARD_KEY: card().decode(), "network": json.dumps({"labels": ["calm", "cross"]})}
    return bytes(save({"conv0.weight": np.zeros((4, 3, 3, 3), np.float32)}, metadata))


def spoilt(content: bytes, draw: random.Random) -> bytes:
    """The content with one to eight changes: bits, numbers, cuts, repeats and swaps."""
    spoiled = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        if not spoiled:
            break
        at = draw.randrange(len(spoiled))
        change = draw.randrange(7)
        if change <= 1:
            spoiled[at] ^= 1 << draw.randrange(8)
        elif change == 2:
            width = draw.choice((1, 2, 4))
            number = draw.choice(_NUMBERS) & ((1 << 8 * width) - 1)
            spoiled[at : at + width] = number.to_bytes(width, draw.choice(("big", "little")))
        elif change == 3:
            del spoiled[at : at + draw.randint(1, 64)]
        elif change == 4:
            spoiled[at:at] = spoiled[at : at + draw.randint(1, 256)] * draw.randint(1, 4)
        elif change == 5:
            spoiled[at:at] = draw.choice(_WORDS)
        else:
            del spoiled[at + 1 :]
    return bytes(spoiled)


def name(draw: random.Random) -> bytes:
    """A name or an address, of signs that terminals, tables and paths obey."""
    parts = draw.choices(_TEXTS, k=draw.randint(1, 8))
    start = draw.choice(("", "rtsp://a:b@", "http://[::1]:", "/dev/", "photos/*", "file:"))
    return (start + "".join(parts)).encode("utf-8", "surrogatepass")


def drawn(kind: str, seed: int, number: int) -> bytes:
    """The input of that number, the same each time."""
    draw = random.Random(f"{seed} {kind} {number}")
    return name(draw) if kind == "name" else spoilt(_good(kind), draw)


@functools.cache
def _good(kind: str) -> bytes:
    return SEEDS[kind]()


SEEDS: dict[str, Callable[[], bytes]] = {
    **{
        f"picture-{each}": partial(picture, each)
        for each in (*("jpg", "png", "apng", "bmp", "webp", "tif", "pnm", "gif", "jp2"),)
    },
    "video-avi": lambda: video("avi"),
    "video-mkv": lambda: video("mkv"),
    "playlist-m3u8": playlist,
    "model-onnx": onnx_model,
    "card": card,
    "settings": settings,
    "recipe": recipe,
    "bundle": bundle,
    "cache": faces_shard,
    "checkpoint": checkpoint,
}
