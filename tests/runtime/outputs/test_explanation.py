"""One photo's stages in one picture: each panel is the stage's own pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from generated import LABELS, FixedDetector, TinyModel, synthetic_face, synthetic_frame, write_clip
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.cli import run as cli
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face
from dcrnet_runtime.outputs import FrameFacts, OutputPlan, open_publisher
from dcrnet_runtime.outputs.explanation.explained_face import explained
from dcrnet_runtime.outputs.explanation.sheet import sheet
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import Alignment, Colour, PreprocessSpec
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.video.feed import Feed

SPEC = PreprocessSpec(size_px=64, focus_strength=0.5)
ZOOM = 5
"""Of the crops of 64 px: the least whole one that shows them 320 px wide."""
RED, BLUE = (0xE0, 0x2B, 0x20), (0x1F, 0x6F, 0xEB)
OPTIONS_OF_A_PHOTO = FrameFacts(LABELS, Feed.PHOTO)


class CornerModel:
    """Is the surer of happiness the brighter the crop's upper left eighth is."""

    card = ModelCard(LABELS, replace(SPEC, size_px=64))
    format, sha256, runs_on = ModelFormat.ONNX, "", "nothing"
    sign = 1.0

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        side = crops.shape[1] // 8
        light = crops[:, :side, :side].mean(axis=(1, 2, 3)) / 255
        share = 0.6 + 0.3 * self.sign * light
        rows = np.repeat((1 - share[:, None]) / (len(LABELS) - 1), len(LABELS), axis=1)
        rows[:, LABELS.index("happiness")] = share
        return rows.astype(np.float32)


def run(monkeypatch: pytest.MonkeyPatch, *options: object, faces: tuple[Face, ...] = ()) -> Result:
    detector = FixedDetector(*faces)
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: detector
    )
    return CliRunner().invoke(cli.build_app(), [*map(str, options)])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    assert cv2.imwrite(str(path), synthetic_frame()[..., ::-1])
    return path


def places(picture: NDArray[np.uint8], part: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Where a picture has a part, pixel by pixel, as (row, column)."""
    wide = np.lib.stride_tricks.sliding_window_view(picture, (1, 1, 3))[:, :, 0, 0, 0]
    corners = np.argwhere((wide == part[0, 0]).all(axis=-1))
    height, width = part.shape[:2]
    return [
        (int(row), int(column))
        for row, column in corners
        if np.array_equal(picture[row : row + height, column : column + width], part)
    ]


def enlarged(crop: NDArray[np.uint8], zoom: int = ZOOM) -> NDArray[np.uint8]:
    return np.kron(crop, np.ones((zoom, zoom, 1), np.uint8))


def test_each_panel_is_its_stage(
    tiny_model: TinyModel, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each found by itself: what the contract makes of the photo without the later stages."""
    face, place = synthetic_face(), tmp_path / "made" / "explained.png"
    options = ("--source", photo, "--model", tiny_model(SPEC), "--explain", place)
    result = run(monkeypatch, *options, faces=(face,))
    assert result.exit_code == 0, result.output
    assert f"Kept: explain {place} (faces recognisable)." in result.stderr
    picture = np.asarray(cv2.imread(str(place)), np.uint8)[..., ::-1]
    rgb = synthetic_frame()
    no_focus = replace(SPEC, focus_strength=0.0)
    stages = [
        prepare(rgb, face, replace(no_focus, gamma_min=1.0, gamma_max=1.0)),
        prepare(rgb, face, no_focus),
        prepare(rgb, face, SPEC),
    ]
    assert not np.array_equal(stages[0], stages[1])  # noise is darker than mid-grey
    found = [places(picture, enlarged(each)) for each in stages]
    assert [len(each) for each in found] == [1, 1, 1]
    (first,), (second,), (third,) = found
    assert first[0] == second[0] < third[0]
    assert first[1] == third[1] < second[1]


def test_the_map_has_its_colours_where_covering_matters() -> None:
    rgb, face = synthetic_frame(), synthetic_face()
    model = CornerModel()
    (answer,) = Recognizer(model, FixedDetector(face)).recognize(rgb)
    crop = prepare(rgb, face, SPEC)
    for sign, colour in ((1.0, RED), (-1.0, BLUE)):
        model.sign = sign * (1 if crop[:8, :8].mean() > SPEC.fill else -1)
        found = explained(rgb, answer, model)
        strongest = np.unravel_index(np.abs(found.falls).argmax(), found.falls.shape)
        assert bool(found.falls[0, 0] > 0) is (sign > 0)
        assert max(strongest) <= 1
        assert not found.falls[3:].any()
        expected = crop.astype(float)
        falls = np.abs(found.falls.astype(float))
        weight = 0.65 * falls / falls.max()
        for row, column in np.argwhere(found.falls):
            cell = np.s_[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
            share = weight[row, column]
            expected[cell] = (1 - share) * expected[cell] + share * np.array(colour)
        picture = sheet(rgb, [found], 1)
        assert len(places(picture, enlarged(np.rint(expected).astype(np.uint8)))) == 1


def test_the_photo_is_the_photo_but_for_what_is_drawn() -> None:
    rgb, face = synthetic_frame(), synthetic_face()
    model = CornerModel()
    (answer,) = Recognizer(model, FixedDetector(face)).recognize(rgb)
    picture = sheet(rgb, [explained(rgb, answer, model)], 1)
    width = picture.shape[1]
    scale = width / rgb.shape[1]
    whole = cv2.resize(rgb, (width, round(scale * rgb.shape[0])), interpolation=cv2.INTER_LINEAR)
    below = whole[round(scale * 220) :]
    ((top, _),) = places(picture, below)
    drawn = picture[top - round(scale * 220) :][: len(whole)]
    changed = np.argwhere((drawn != whole).any(axis=2)) / scale
    assert changed.min(axis=0)[1] > face.box.x - 5
    assert changed.max(axis=0)[0] < face.box.y + face.box.height + 5
    assert face.landmarks is not None
    x, y = np.rint(scale * face.landmarks[4]).astype(int)
    assert tuple(drawn[y, x]) == (0x3C, 0xC8, 0xD9)


def test_bars_are_as_long_as_their_shares() -> None:
    rgb = synthetic_frame()
    model = CornerModel()
    (answer,) = Recognizer(model, FixedDetector(synthetic_face())).recognize(rgb)
    certain = replace(answer, probabilities=np.eye(len(LABELS), dtype=np.float32)[3] * 0.5)
    picture = sheet(rgb, [explained(rgb, certain, model)], 1)
    bars = picture[-12 * 26 :]
    yellow = (bars == (0xF5, 0xBD, 0x3F)).all(axis=2).sum(axis=1).max()
    grey = (bars == (0xD0, 0xD7, 0xDE)).all(axis=2).sum(axis=1).max()
    assert yellow / grey == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("size_px", [32, 48, 128, 224, 1024])
def test_letters_can_be_read_on_a_telephone(size_px: int) -> None:
    """Capitals of the first line are 8 px or taller where the picture is shown 360 px wide."""
    rgb, model = synthetic_frame(), CornerModel()
    model.card = ModelCard(LABELS, replace(SPEC, size_px=size_px))
    (answer,) = Recognizer(model, FixedDetector(synthetic_face())).recognize(rgb)
    picture = sheet(rgb, [explained(rgb, answer, model)], 1)
    shown = 360 / picture.shape[1]
    line = picture[: picture.shape[1] // 14, : picture.shape[1] // 2]
    inked = np.flatnonzero(np.any(np.all(line < 128, axis=2), axis=1))
    assert (inked.max() - inked.min()) * shown >= 8


def test_a_face_without_landmarks_and_gamma_is_told_as_it_is() -> None:
    spec = PreprocessSpec(
        alignment=Alignment.BOX, colour=Colour.RGB, size_px=64, gamma_min=1.0, gamma_max=1.0
    )
    rgb, model = synthetic_frame(), CornerModel()
    model.card = ModelCard(LABELS, spec)
    face = Face(synthetic_face().box)
    (answer,) = Recognizer(model, FixedDetector(face)).recognize(rgb)
    found = explained(rgb, answer, model)
    assert (found.stages.gamma, found.focus) == (1.0, 0.0)
    picture = sheet(rgb, [found], 1)
    assert len(places(picture, enlarged(prepare(rgb, face, spec)))) == 3


def test_every_face_has_its_rows_but_ten_are_enough(
    tiny_model: TinyModel, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights = {}
    for count in (1, 2, 10, 12):
        faces = tuple(synthetic_face(centre=(140 + 2 * i, 120)) for i in range(count))
        place = tmp_path / f"{count}.png"
        options = ("--source", photo, "--model", tiny_model(SPEC), "--explain", place)
        result = run(monkeypatch, *options, faces=faces)
        assert result.exit_code == 0, result.output
        heights[count] = np.asarray(cv2.imread(str(place)), np.uint8).shape[0]
    a_face = heights[2] - heights[1]
    assert a_face > 2 * 64 * ZOOM
    assert heights[10] == heights[12] == heights[1] + 9 * a_face


def test_only_one_photo_is_explained(
    tiny_model: TinyModel, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, model = tmp_path / "explained.png", ("--model", tiny_model(SPEC))
    place.write_text("older")
    (tmp_path / "folder").mkdir()
    other = tmp_path / "folder" / "other.png"
    other.write_bytes(photo.read_bytes())
    clip = write_clip(tmp_path / "clip.avi", 2)
    refused = {
        (photo, other): "several files were named (photo.png, other.png)",
        (clip,): "this is a video",
        (tmp_path / "folder",): "this is a folder",
        ("--camera", 0): "this source is live",
    }
    for sources, why in refused.items():
        result = run(monkeypatch, *sources, *model, "--explain", place, faces=(synthetic_face(),))
        assert result.exit_code == 2, sources
        message = " ".join(result.stderr.split())
        assert f"--explain shows the stages of one photo, and {why}: name one photo" in message
    assert place.read_text() == "older"


def test_a_photo_without_a_face_replaces_nothing(
    tiny_model: TinyModel, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "explained.png"
    place.write_text("older")
    options = ("--source", photo, "--model", tiny_model(SPEC), "--explain", place)
    result = run(monkeypatch, *options)
    assert result.exit_code == 2
    assert "no face was found" in " ".join(result.stderr.split())
    assert place.read_text() == "older"
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        *("explained.png", "photo.png", "tiny.onnx")
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blur_faces": True, "save": "x.png"}, "which `blur_faces` forbids"),
        ({"model": None}, "give the plan one"),
        ({"explain": "x.txt"}, "names no image format"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_the_first_frame(
    options: dict[str, object], message: str, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"jsonl": None, "model": CornerModel(), "explain": "explained.png"}
    asked |= options
    asked |= {k: tmp_path / asked[k] for k in ("explain", "save") if k in asked}
    plan = OutputPlan.of(OPTIONS_OF_A_PHOTO, **asked)
    with pytest.raises(DcrnetError, match=message):
        open_publisher(plan)
    assert not list(tmp_path.iterdir())
