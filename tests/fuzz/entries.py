"""The public entries that each kind of input goes through."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from dcrnet_runtime.errors import DcrnetError

_READ_S, _JOIN_S = 1.0, 15.0
_FRAMES = 6


def enter(kind: str, path: Path) -> None:
    """Give the file to what reads such files; what it refuses as it should is no finding."""
    family = kind if kind in ENTRIES else kind.partition("-")[0]
    with suppress(DcrnetError):
        ENTRIES[family](path)


def _picture(path: Path) -> None:
    from dcrnet_runtime.video.images import read_image, read_photo

    for read in (read_image, lambda place: read_photo(place).rgb):
        rgb = read(path)
        assert rgb.ndim == 3
        assert rgb.dtype == np.uint8


def _file(path: Path) -> None:
    _frames(str(path))


def _stream(path: Path) -> None:
    from fuzz.network import server

    server().say(path.read_bytes())
    _frames(f"http://a:b@127.0.0.1:{server().port}/a.m3u8")


def _rtsp(path: Path) -> None:
    from fuzz.network import server

    server().say(path.read_bytes())
    _frames(f"rtsp://127.0.0.1:{server().port}/a")


def _frames(address: str) -> None:
    """The first frames of a source, read as the commands read them."""
    from dcrnet_runtime.video.capture import CaptureRequest
    from dcrnet_runtime.video.reader import Reader, StalledError
    from dcrnet_runtime.video.source import resolve

    source = resolve(address)
    if source.is_still:
        return
    reader = Reader(source.opener(CaptureRequest(fps=100), _READ_S, _READ_S))
    with suppress(StalledError):
        for _ in range(_FRAMES):
            if (captured := reader.take(_READ_S, lambda: False)) is None:
                break
            assert captured.rgb.dtype == np.uint8
    reader.abandon(_JOIN_S)
    assert not reader.is_running, "the reader does not come back"
    if reader.error is not None and not isinstance(reader.error, OSError):
        raise reader.error


def _model(path: Path) -> None:
    from dcrnet_runtime.backends.loading import load_model
    from dcrnet_runtime.backends.runners.answers import checked_answers

    model = load_model(path)
    side = model.card.preprocess.size_px
    answered = model.probabilities(np.zeros((1, side, side, 3), np.uint8))
    checked_answers(answered, 1, len(model.card.labels))


def _checkpoint(path: Path) -> None:
    from dcrnet_edge.models.checkpoint import load_checkpoint

    load_checkpoint(path)


def _resume(path: Path) -> None:
    from dcrnet_edge.training.callbacks.resume_point import step_of

    step_of(path)


def _bundle(path: Path) -> None:
    from dcrnet_runtime.detectors.litert import FaceNetworks

    FaceNetworks.from_task(path)


def _card(path: Path) -> None:
    from dcrnet_runtime.backends.card import ModelCard
    from dcrnet_runtime.backends.golden import Golden

    Golden.of(ModelCard.from_json(path.read_bytes().decode("utf-8", "replace")))


def _sidecar(path: Path) -> None:
    from dcrnet_export.artifacts.files import sidecar_of
    from dcrnet_export.artifacts.inspection import describe
    from dcrnet_export.checks.verification import _sidecar as checked
    from fuzz.models import onnx_model

    model = path.with_name("model.onnx")
    if not model.exists():
        model.write_bytes(onnx_model())
    sidecar_of(model).write_bytes(path.read_bytes())
    checked(model, describe(model))


def _settings(path: Path) -> None:
    import typer

    from dcrnet_runtime.cli.run import app
    from dcrnet_runtime.cli.settings_file import read_options

    read_options(path, typer.main.get_command(app).params)


def _recipe(path: Path) -> None:
    from dcrnet_edge.presets import read_toml
    from dcrnet_edge.training.run_config import RunConfig

    RunConfig.of(read_toml(path))


def _run(path: Path) -> None:
    from dcrnet_edge.cli.resumption import settings_of_run
    from dcrnet_edge.cli.train_options import SettingOptions
    from dcrnet_edge.training.settings import SETTINGS_NAME, read_settings

    path.replace(path.with_name(SETTINGS_NAME))
    read_settings(path.parent, {"seed": 1})
    settings_of_run(path.parent, SettingOptions())


def _report(path: Path) -> None:
    from dcrnet_bench.report.files import read

    read(path)


def _told(path: Path) -> None:
    from dcrnet_bench.targets.browser.told import PageReport

    with suppress(ValueError):  # its answer to the page is the refusal
        PageReport.parse(path.read_bytes())


def _predictions(path: Path) -> None:
    from dcrnet_edge.evaluation.predictions import read_predictions

    read_predictions(path)


def _groups(path: Path) -> None:
    from dcrnet_edge.studies.people.groups import read_groups

    read_groups(path)


def _power(path: Path) -> None:
    from dcrnet_bench.meters.sensors.logged import read_log

    read_log(path)


def _faces_cache(path: Path) -> None:
    from dcrnet_edge.data.face_cache import _read_shard

    _read_shard(path, 1)


def _landmarks_cache(path: Path) -> None:
    from dcrnet_edge.data.landmarks_file import LandmarksFile

    LandmarksFile(path, "a")


def _teacher_cache(path: Path) -> None:
    from dcrnet_edge.distillation.teachers import _read

    _read(path, (1, 7))


def _crops_cache(path: Path) -> None:
    from dcrnet_edge.data.crop_cache import _mapped

    _mapped(path, (1, 16, 16, 3))


def _name(path: Path) -> None:
    from dcrnet_runtime.outputs.lines.csv_rows import _cell
    from dcrnet_runtime.printable import printable
    from dcrnet_runtime.redaction import redacted, redacted_text
    from dcrnet_runtime.video.source import resolve

    text = path.read_bytes().decode("utf-8", "surrogatepass")
    for shown in (redacted(text), redacted_text(text)):
        assert not any(sign in printable(shown) for sign in "\x1b\u202e\n\0")
    assert not _cell(text).startswith(("=", "+", "-", "@", "\t"))
    resolve(text)


ENTRIES: dict[str, Callable[[Path], None]] = {
    "picture": _picture,
    "video": _file,
    "playlist": _file,
    "stream": _stream,
    "stream-rtsp": _rtsp,
    "model": _model,
    "checkpoint": _checkpoint,
    "resume": _resume,
    "bundle": _bundle,
    "card": _card,
    "sidecar": _sidecar,
    "settings": _settings,
    "recipe": _recipe,
    "run": _run,
    "report": _report,
    "told": _told,
    "predictions": _predictions,
    "groups": _groups,
    "power": _power,
    "cache-faces": _faces_cache,
    "cache-landmarks": _landmarks_cache,
    "cache-teacher": _teacher_cache,
    "cache-crops": _crops_cache,
    "name": _name,
}
