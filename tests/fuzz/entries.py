"""The public entries that each kind of input goes through."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from dcrnet_runtime.errors import DcrnetError

_READ_S = 2.0


def enter(kind: str, path: Path) -> None:
    """Give the file to what reads such files; what it refuses as it should is no finding."""
    family, _, _ = kind.partition("-")
    with suppress(DcrnetError):
        ENTRIES[family](path)


def _picture(path: Path) -> None:
    from dcrnet_runtime.video.images import read_image

    rgb = read_image(path)
    assert rgb.ndim == 3
    assert rgb.dtype == np.uint8


def _stream(path: Path) -> None:
    from dcrnet_runtime.video.capture import CaptureRequest
    from dcrnet_runtime.video.source import resolve

    source = resolve(str(path))
    if source.is_still:
        return
    capture = source.opener(CaptureRequest(), _READ_S, _READ_S)()
    try:
        until = time.monotonic() + _READ_S
        while time.monotonic() < until and capture.grab():
            capture.retrieve()
    finally:
        capture.close()


def _model(path: Path) -> None:
    from dcrnet_runtime.backends.loading import load_model
    from dcrnet_runtime.backends.runners.answers import checked_answers

    model = load_model(path)
    side = model.card.preprocess.size_px
    answered = model.probabilities(np.zeros((1, side, side, 3), np.uint8))
    checked_answers(answered, 1, len(model.card.labels))


def _card(path: Path) -> None:
    from dcrnet_runtime.backends.card import ModelCard
    from dcrnet_runtime.backends.golden import Golden

    Golden.of(ModelCard.from_json(path.read_bytes().decode("utf-8", "replace")))


def _settings(path: Path) -> None:
    import typer

    from dcrnet_runtime.cli.run import app
    from dcrnet_runtime.cli.settings_file import read_options

    read_options(path, typer.main.get_command(app).params)


def _recipe(path: Path) -> None:
    from dcrnet_edge.presets import read_toml
    from dcrnet_edge.training.run_config import RunConfig

    RunConfig.of(read_toml(path))


def _bundle(path: Path) -> None:
    from dcrnet_runtime.detectors.litert import FaceNetworks

    FaceNetworks.from_task(path)


def _cache(path: Path) -> None:
    from dcrnet_edge.data.face_cache import _read_shard

    _read_shard(path, 1)


def _checkpoint(path: Path) -> None:
    from dcrnet_edge.models.checkpoint import load_checkpoint

    load_checkpoint(path)


def _name(path: Path) -> None:
    from dcrnet_runtime.printable import printable
    from dcrnet_runtime.redaction import redacted, redacted_text
    from dcrnet_runtime.video.source import resolve

    text = path.read_bytes().decode("utf-8", "surrogatepass")
    for shown in (redacted(text), redacted_text(text)):
        assert not any(sign in printable(shown) for sign in "\x1b\u202e\n\0")
    resolve(text)


ENTRIES: dict[str, Callable[[Path], None]] = {
    "picture": _picture,
    "video": _stream,
    "playlist": _stream,
    "model": _model,
    "card": _card,
    "settings": _settings,
    "recipe": _recipe,
    "bundle": _bundle,
    "cache": _cache,
    "checkpoint": _checkpoint,
    "name": _name,
}
