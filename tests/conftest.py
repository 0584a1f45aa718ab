"""What all tests share: a generated tiny model and one real portrait."""

from __future__ import annotations

import os

# Before numpy and torch are loaded: tests run on each core, and threads of two processes that
# share one wait for each other, spinning. The processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generated import LABELS, TinyModel
from numpy.typing import NDArray
from page_fixtures import int8_file, page_engine, page_folder  # noqa: F401

from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
from dcrnet_runtime.preprocess.spec import PreprocessSpec

# A shell starts its background jobs ignoring SIGINT, which the commands under test would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Let xdist, if it is there, hand files out in the order below, not by their tests' number."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of few and long tests come first, so that no process is left alone with one."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    within = item.path.relative_to(Path(__file__).parent).parts
    match within:
        case ("test_spine.py",) | ("edge", "training", *_):
            return 0
        case ("edge" | "export", *_) | ("bench", "targets", *_) | ("docs", "test_commands.py"):
            return 1
    return 2


@pytest.fixture
def tiny_model(tmp_path: Path) -> TinyModel:
    """Writes an ONNX model that answers by the crop's mean colour, with a card; asked for, that
    colour is its features.
    """

    def write(
        spec: PreprocessSpec | None = None,
        card_json: str | None = None,
        name: str = "tiny.onnx",
        batch: int | str = 1,
        features: bool = False,
    ) -> Path:
        import onnx
        from onnx import TensorProto, helper, numpy_helper

        spec = spec or PreprocessSpec(size_px=64)
        side = spec.size_px
        weights = np.random.default_rng(2).normal(0, 0.02, (3, len(LABELS))).astype(np.float32)
        mean, outputs = "features" if features else "mean", {"probabilities": len(LABELS)}
        provenance: dict[str, Any] = {}
        if features:
            outputs["features"] = 3
            provenance = {"export": {"features": {"shape": [batch, 3]}}}
        graph = helper.make_graph(
            [
                helper.make_node("Cast", ["rgb"], ["codes"], to=TensorProto.FLOAT),
                helper.make_node("ReduceMean", ["codes"], [mean], axes=[1, 2], keepdims=0),
                helper.make_node("MatMul", [mean, "weights"], ["logits"]),
                helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
            ],
            "tiny",
            [helper.make_tensor_value_info("rgb", TensorProto.UINT8, [batch, side, side, 3])],
            [
                helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, width])
                for output, width in outputs.items()
            ],
            [numpy_helper.from_array(weights, "weights")],
        )
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=9)
        card = ModelCard(LABELS, spec, provenance)
        text = card.to_json() if card_json is None else card_json
        if text:
            helper.set_model_props(model, {CARD_KEY: text})
        path = tmp_path / name
        onnx.save(model, path)
        return path

    return write


@pytest.fixture
def portrait() -> NDArray[np.uint8]:
    """NASA's public-domain portrait of Eileen Collins, (512, 512, 3) uint8 RGB."""
    data = pytest.importorskip("skimage.data", reason="needs the demo extra")
    rgb: NDArray[np.uint8] = data.astronaut()
    return rgb


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests write to no user's cache, and find nothing in it."""
    if os.environ.get("DCRNET_FERPLUS"):  # the slow test may use faces found before
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        # But for Matplotlib's list of this machine's fonts, which takes seconds to make.
        fonts = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "matplotlib"
        patch.setenv("MPLCONFIGDIR", os.environ.get("MPLCONFIGDIR", str(fonts)))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
