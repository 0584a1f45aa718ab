"""What a board installs: the preprocessing contract, face detectors, back ends, the loop.

A photo, an (H, W, 3) uint8 RGB array:

>>> from dcrnet_runtime import Recognizer, load_model, open_detector, shipped_model
>>> recognizer = Recognizer(load_model(shipped_model()), open_detector())
>>> for recognition in recognizer.recognize(rgb):
...     print(f"a face: {recognition.label}, {recognition.probability:.0%}")
a face: ..., ...%

A video, a camera or a network stream, whose faces are followed and smoothed over time:

>>> from dcrnet_runtime import Stream
>>> with Stream(recognizer, "clip.mp4") as stream:
...     for observation in stream:
...         for face in observation.faces:
...             print(face.track_id, face.label)
1 ...
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.deprecation import renamed

if TYPE_CHECKING:
    from dcrnet_runtime.answers.reading import read_answers
    from dcrnet_runtime.backends.loading import load_model
    from dcrnet_runtime.detectors.detector import open_detector
    from dcrnet_runtime.errors import DcrnetError
    from dcrnet_runtime.models import shipped_model
    from dcrnet_runtime.preprocess.crops import prepare
    from dcrnet_runtime.recognizer import Recognizer
    from dcrnet_runtime.stream import Stream, StreamOptions

# onnxruntime's wheels report usage to their maker unless this is set before their import; every
# package of this project imports this one first.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# OpenCV compares them with an image's header before it decodes, and reads them when it is
# imported; they are those of dcrnet_runtime.video.images, which does not rely on them.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 26))
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_WIDTH", "32000")
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_HEIGHT", "32000")

__all__ = [
    "DcrnetError",
    "Recognizer",
    "Stream",
    "StreamOptions",
    "load_model",
    "open_detector",
    "prepare",
    "read_answers",
    "shipped_model",
]

_HOMES = {
    "DcrnetError": "errors",
    "Recognizer": "recognizer",
    "Stream": "stream",
    "StreamOptions": "stream",
    "load_model": "backends.loading",
    "open_detector": "detectors.detector",
    "prepare": "preprocess.crops",
    "read_answers": "answers.reading",
    "shipped_model": "models",
}

_RENAMED = {"open_finder": "open_detector"}
"""Names that were given up, and what they became."""


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        old, name = name, _RENAMED[name]
        warnings.warn(renamed(f"{__name__}.{old}", name), DeprecationWarning, stacklevel=2)
    # Loaded when first used, so that a command's --help does not wait for OpenCV.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
