"""The page as a folder that any web server can serve."""

from __future__ import annotations

import json
from pathlib import Path

from dcrnet_runtime.backends.model import Model, ModelFormat
from dcrnet_runtime.browser.batch import one_at_a_time
from dcrnet_runtime.browser.contract import page_constants
from dcrnet_runtime.browser.engine import engine_files
from dcrnet_runtime.browser.golden_vectors import golden_vectors
from dcrnet_runtime.detectors.litert import FaceNetworks
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.landmarks import shipped_landmarks
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.preprocess.spec import Colour, Interpolation, PreprocessSpec

MODEL_FILE = "model.tflite"
_STATIC = Path(__file__).parent / "static"


def write_page(folder: Path, model: Model, path: Path) -> list[Path]:
    """Write every file of the page; a file that is there already is replaced.

    Args:
        folder: is made where it does not exist.
        model: what the page runs, loaded from ``path``: its answers go into the golden vectors.
        path: its TFLite file.

    Returns:
        what was written.

    Raises:
        DcrnetError: the model is no TFLite file or has a contract that the page does not cover,
            LiteRT.js has not been fetched, or a file cannot be written.
    """
    check_model(model, path)
    engine = engine_files()
    networks = FaceNetworks.from_task(shipped_landmarks())
    expected = model.card.preprocess.landmarks_sha256
    if expected not in ("", networks.landmarks_sha256):
        raise DcrnetError(
            f"{path} was trained with faces of another landmark network than the page's: use the"
            " shipped weights' export"
        )
    contents = {
        MODEL_FILE: path.read_bytes(),
        "detector.tflite": one_at_a_time(networks.detector),
        "mesh.tflite": one_at_a_time(networks.landmarks),
        "constants.json": _json(page_constants()),
        "golden.json": _json(golden_vectors(model)),
        **{file.name: file.read_bytes() for file in sorted(_STATIC.iterdir())},
        **{name: file.read_bytes() for name, file in engine.items()},
    }
    for name, content in contents.items():
        with written_beside(folder / name) as beside:
            beside.write_bytes(content)
    return [folder / name for name in contents]


def check_model(model: Model, path: Path) -> None:
    """Refuse what the page cannot run.

    Raises:
        DcrnetError: with the command that exports what it can.
    """
    if model.format is not ModelFormat.TFLITE:
        raise DcrnetError(
            f"the page runs TFLite, and {path} is {model.format}: `model` is what dcrnet-export"
            " --int8 --size 128 writes as dcrnet-export/dcrnet-128-int8.tflite"
        )
    problem = _not_covered(model.card.preprocess)
    if problem:
        raise DcrnetError(f"the page cannot prepare faces for {path}: {problem}")


def _not_covered(spec: PreprocessSpec) -> str:
    if spec.colour is not Colour.LUMA:
        return f"it wants {spec.colour}, the page knows {Colour.LUMA}"
    if spec.interpolation is not Interpolation.CUBIC:
        return f"it wants {spec.interpolation} interpolation, the page knows {Interpolation.CUBIC}"
    return ""


def _json(values: object) -> bytes:
    return (json.dumps(values, separators=(",", ":")) + "\n").encode()
