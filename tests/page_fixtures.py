"""The page with the shipped weights' int8 file, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcrnet_runtime.browser import engine
from dcrnet_runtime.errors import DcrnetError

# The tests have a cache of their own; the engine lies in the user's.
_ENGINE = engine.engine_folder()


@pytest.fixture(scope="session")
def int8_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped weights at 128 px as int8 TFLite."""
    pytest.importorskip("torch", reason="needs the export extra")
    pytest.importorskip("flatbuffers", reason="needs the export extra")
    from dataclasses import replace

    from dcrnet_edge.models.checkpoint import load_checkpoint
    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_export.emitters.tflite_int8 import tflite_int8
    from dcrnet_export.formats.registry import FORMATS
    from dcrnet_export.ir.lowering import lower
    from dcrnet_export.passes.channel_equalization import equalize_channels
    from dcrnet_export.passes.quantization import WeightLimit, quantize

    checkpoint = load_checkpoint(shipped_checkpoint()).at(128)
    graph = lower(checkpoint.network, 128, checkpoint.ranges[128])
    content = tflite_int8(quantize(equalize_channels(graph), WeightLimit.FULL))
    preprocess = replace(checkpoint.card.preprocess, size_px=128)
    card = replace(checkpoint.card, preprocess=preprocess)
    path = tmp_path_factory.mktemp("model") / "dcrnet-128-int8.tflite"
    path.write_bytes(FORMATS["tflite"].with_card(content, card))
    return path


@pytest.fixture
def page_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteRT.js of the user's cache; skips where it has not been fetched."""
    monkeypatch.setattr(engine, "engine_folder", lambda: _ENGINE)
    _skip_without_engine()


def _skip_without_engine() -> None:
    try:
        engine.engine_files()
    except DcrnetError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def page_folder(int8_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``--write-page`` writes."""
    from dcrnet_runtime.backends.loading import load_model
    from dcrnet_runtime.browser.folder import write_page

    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "engine_folder", lambda: _ENGINE)
        _skip_without_engine()
        write_page(folder, load_model(int8_file), int8_file)
    return folder
