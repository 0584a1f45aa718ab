"""``dcrnet-run``: what it prints, and one clear line for everything that can be wrong."""

from __future__ import annotations

import csv
import json
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from generated import LABELS, FixedDetector, TinyModel, synthetic_face, synthetic_frame, write_clip
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.cli import run as cli
from dcrnet_runtime.cli.environment import cv2_conflict
from dcrnet_runtime.detectors.detector import DetectorKind
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.installation import extra_command, upgrade_command
from dcrnet_runtime.preprocess.spec import PreprocessSpec


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def write(path: Path, pixels: NDArray[np.generic]) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path


@pytest.fixture
def one_face(monkeypatch: pytest.MonkeyPatch) -> FixedDetector:
    """Every frame has the synthetic face."""
    detector = FixedDetector(synthetic_face())
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: detector
    )
    return detector


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return write(tmp_path / "photo.png", synthetic_frame())


def expect_error(result: Result, *parts: str) -> None:
    """Exit code 2, no traceback, and the parts on one line of standard error."""
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    for part in parts:
        assert part in line


def test_a_photo_gives_one_json_line(
    tiny_model: TinyModel, photo: Path, one_face: FixedDetector
) -> None:
    result = run("--source", photo, "--model", tiny_model())
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    answer = json.loads(line)
    (face,) = answer["faces"]
    assert answer["schema"] == 1
    assert set(answer) == {"schema", "source", "frame", "time_s", "faces", "uncertain"}
    assert set(face) == {*("box", "outside", "aligned", "label", "probability", "probabilities")}
    assert answer["source"] == "photo.png"
    assert face["aligned"] is True
    assert tuple(face["probabilities"]) == LABELS
    assert face["label"] == max(face["probabilities"], key=face["probabilities"].get)
    assert len(face["box"]) == 4


def test_a_box_may_reach_past_the_picture(
    tiny_model: TinyModel, photo: Path, one_face: FixedDetector
) -> None:
    one_face.faces = [Face(Box(-5, -3, 50, 60))]
    result = run("--source", photo, "--model", tiny_model())
    (face,) = json.loads(result.stdout)["faces"]
    assert face["box"] == [-5, -3, 50, 60]
    assert face["outside"] == pytest.approx(1 - 45 * 57 / (50 * 60), abs=0.005)


def test_photos_and_videos_in_one_call_have_names_of_their_own(
    tiny_model: TinyModel, tmp_path: Path, one_face: FixedDetector
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "x.png", synthetic_frame())
    clip = write_clip(tmp_path / "12:30.avi", 3)
    out = tmp_path / "out"
    result = run(
        tmp_path / "a" / "x.png", clip, tmp_path / "b", "--model", tiny_model(), "--save", out
    )
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    named = [(line["source"], line["frame"], line["time_s"]) for line in lines]
    assert named == [
        ("a/x.png", 0, 0.0),
        *(("12:30.avi", n, n / 10) for n in range(3)),
        ("b/x.png", 1, 0.0),
    ]
    saved = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert saved == ["12:30.avi", "a/x.png", "b/x.png"]
    assert cv2.VideoCapture(str(out / "12:30.avi")).get(cv2.CAP_PROP_FRAME_COUNT) >= 3


def test_a_pattern_of_videos_and_a_folder_are_read_once_and_told_apart(
    tiny_model: TinyModel,
    tmp_path: Path,
    one_face: FixedDetector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Below a link that leads back, beside what macOS writes, and under names that repeat."""
    for folder in ("clips/a", "clips/b", "photos"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("a", "b"):
        write_clip(tmp_path / "clips" / folder / "x.avi", 2)
    write(tmp_path / "photos" / "x.png", synthetic_frame())
    write(tmp_path / "photos" / "y.png", synthetic_frame())
    (tmp_path / "clips" / "b" / "up").symlink_to(tmp_path / "clips")
    for fork in ("clips/a/._x.avi", "photos/._x.png"):
        (tmp_path / fork).write_bytes(b"\0\x05\x16\x07" + bytes(50))
    monkeypatch.chdir(tmp_path)
    asked = ("clips/**/*.avi", "photos", "photos/y.png", "--model", tiny_model(), "--save", "out")
    result = run(*asked)
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["source"], line["frame"]) for line in lines] == [
        ("a/x.avi", 0),
        ("a/x.avi", 1),
        ("b/x.avi", 0),
        ("b/x.avi", 1),
        ("x.png", 0),
        ("y.png", 1),
    ]
    assert "Left out: 1 named more than once, 2 resource forks of macOS." in result.stderr
    saved = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*.*"))
    assert saved == ["a/x.avi", "b/x.avi", "x.png", "y.png"]


@pytest.mark.parametrize("saved", ["12:30.mp4", "pipe:1.mp4", "http:/x.webm"])
def test_a_video_is_saved_under_a_name_with_colons(
    saved: str,
    tiny_model: TinyModel,
    tmp_path: Path,
    one_face: FixedDetector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which FFmpeg would take for an address of its own."""
    monkeypatch.chdir(tmp_path)
    clip = write_clip(tmp_path / "clip.avi", 3)
    result = run(clip, "--model", tiny_model(), "--save", saved)
    assert result.exit_code == 0, result.output
    assert cv2.VideoCapture(str(tmp_path / saved)).get(cv2.CAP_PROP_FRAME_COUNT) == 3


def test_a_live_source_stands_alone(photo: Path) -> None:
    result = run(photo, "rtsp://127.0.0.1:9/1")
    expect_error(result, "is live and goes on by itself: start one process for each")


def test_options_that_a_source_does_not_heed_are_named(
    tiny_model: TinyModel, photo: Path, one_face: FixedDetector
) -> None:
    arguments = (photo, "--fps", 5, "--max-reconnects", 1, "--rotate", 90, "--model", tiny_model())
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert "warning: --fps does nothing here" in result.stderr
    assert "warning: --max-reconnects does nothing here" in result.stderr
    assert "--rotate" not in result.stderr


def test_a_photo_is_turned(
    tiny_model: TinyModel, photo: Path, tmp_path: Path, one_face: FixedDetector
) -> None:
    out = tmp_path / "turned.png"
    result = run(photo, "--rotate", 90, "--save", out, "--model", tiny_model())
    assert result.exit_code == 0, result.output
    assert np.asarray(cv2.imread(str(out)), np.uint8).shape == (320, 240, 3)


def test_many_faces_give_many_answers(
    tiny_model: TinyModel, photo: Path, one_face: FixedDetector
) -> None:
    one_face.faces += [Face(Box(5 * i, 5, 50, 50)) for i in range(6)]
    result = run("--source", photo, "--model", tiny_model())
    assert len(json.loads(result.stdout)["faces"]) == 7


@pytest.mark.parametrize("kind", ["grey", "rgba", "sixteen bits"])
def test_unusual_pixels_are_read(
    kind: str, tiny_model: TinyModel, tmp_path: Path, one_face: FixedDetector
) -> None:
    frame = synthetic_frame()
    if kind == "grey":
        frame = np.repeat(frame[:, :, :1], 3, axis=2)
    pixels: dict[str, NDArray[np.generic]] = {
        "grey": frame[:, :, 0],
        "rgba": np.dstack([frame, np.full(frame.shape[:2], 100, np.uint8)]),
        "sixteen bits": frame.astype(np.uint16) * 257,
    }
    model = tiny_model()
    plain = run("--source", write(tmp_path / "a.png", frame), "--model", model)
    result = run("--source", write(tmp_path / "b.png", pixels[kind]), "--model", model)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["faces"] == json.loads(plain.stdout)["faces"]


def test_a_face_below_the_least_confidence_has_no_label(
    tiny_model: TinyModel, photo: Path, tmp_path: Path, one_face: FixedDetector
) -> None:
    table = tmp_path / "faces.csv"
    asked = ("--source", photo, "--model", tiny_model(), "--csv", table)
    plain = json.loads(run(*asked).stdout)
    assert plain["uncertain"] == 0
    answer = json.loads(run(*asked, "--min-confidence", 0.999).stdout)
    (face,) = answer["faces"]
    assert (answer["uncertain"], face["label"]) == (1, None)
    assert face["probability"] == plain["faces"][0]["probability"] < 0.999
    (row,) = csv.DictReader(table.open())
    assert row["label"] == ""
    assert float(row["probability"]) == face["probability"]


def test_more_faces_than_are_wanted_are_told_of_once(
    tiny_model: TinyModel, tmp_path: Path, portrait: NDArray[np.uint8], caplog: Any
) -> None:
    row = np.hstack([portrait[:300, 100:350]] * 2)[..., ::-1]
    for name in ("a.png", "b.png"):
        write(tmp_path / name, row)
    for most, told in ((1, 1), (2, 0)):
        caplog.clear()
        result = run("--source", tmp_path, "--model", tiny_model(), "--max-faces", most, "--near")
        assert [len(json.loads(line)["faces"]) for line in result.stdout.splitlines()] == [
            most
        ] * 2
        said = f"a frame has more than {most} faces, and the rest is left out"
        assert caplog.text.count(said) == told


@pytest.mark.parametrize("detector", ["litert", "cascade"])
def test_small_faces_are_left_out_on_request(
    detector: str, tiny_model: TinyModel, tmp_path: Path, portrait: NDArray[np.uint8]
) -> None:
    path = write(tmp_path / "portrait.png", portrait[..., ::-1])
    asked = ("--source", path, "--model", tiny_model(), "--detector", detector)
    (face,) = json.loads(run(*asked).stdout)["faces"]
    side = max(face["box"][2:])
    assert len(json.loads(run(*asked, "--min-face", 0.9 * side).stdout)["faces"]) == 1
    assert json.loads(run(*asked, "--min-face", 1.1 * side).stdout)["faces"] == []


def test_the_detectors_confidence_can_be_asked_for(
    tiny_model: TinyModel, tmp_path: Path, portrait: NDArray[np.uint8]
) -> None:
    path = write(tmp_path / "portrait.png", portrait[..., ::-1])
    asked = ("--source", path, "--model", tiny_model())
    for least, faces in ((0.3, 1), (1.0, 0)):
        result = run(*asked, "--min-detection", least)
        assert len(json.loads(result.stdout)["faces"]) == faces
    expect_error(
        run(*asked, "--min-detection", 0.6, "--detector", "cascade"),
        "the cascade gives no confidence: leave --min-detection out, or take --detector litert",
    )


def test_a_video_without_a_face_says_so_at_its_end(
    tiny_model: TinyModel, tmp_path: Path, one_face: FixedDetector
) -> None:
    clip = write_clip(tmp_path / "clip.avi", 5)
    said = "No face was found in"
    assert said not in run("--source", clip, "--model", tiny_model()).stderr
    one_face.faces = []
    result = run("--source", clip, "--model", tiny_model())
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[-1].startswith(
        f"{said} {clip.name}, in 5 frames: the face must"
    )


def test_a_video_gives_a_line_a_frame(
    tiny_model: TinyModel, tmp_path: Path, one_face: FixedDetector
) -> None:
    clip = write_clip(tmp_path / "clip.avi", 5)
    out = tmp_path / "out" / "drawn.mp4"
    result = run("--source", clip, "--model", tiny_model(), "--save", out, "--frames", 4)
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["frame"] for line in lines] == [0, 1, 2, 3]
    assert lines[3]["time_s"] > lines[1]["time_s"]
    assert [path.name for path in out.parent.iterdir()] == ["drawn.mp4"]
    assert cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FRAME_COUNT) == 4


def test_answers_are_drawn_into_a_folder(
    tiny_model: TinyModel, tmp_path: Path, one_face: FixedDetector
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.png", "b.png"):
        write(photos / name, synthetic_frame())
    out = tmp_path / "out"
    result = run("--source", photos, "--model", tiny_model(), "--save", out)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.png"]
    assert (
        np.asarray(cv2.imread(str(out / "a.png")), np.uint8)
        != np.asarray(cv2.imread(str(photos / "a.png")), np.uint8)
    ).any()


def test_a_bad_photo_is_named_and_the_others_go_on(
    tiny_model: TinyModel, tmp_path: Path, one_face: FixedDetector
) -> None:
    write(tmp_path / "good.png", synthetic_frame())
    (tmp_path / "bad.jpg").write_bytes(b"no image at all")
    result = run("--source", tmp_path, "--model", tiny_model())
    expect_error(result, "bad.jpg is no image", "since it holds text: copy the image there again")
    assert json.loads(result.stdout)["source"] == "good.png"


def test_no_source(photo: Path) -> None:
    expect_error(run(), "name one source: --source FILE|FOLDER|URL, --camera 0, or --demo")
    expect_error(run("--source", photo, "--camera", 0), "exclude each other")


def test_missing_source(tiny_model: TinyModel, tmp_path: Path) -> None:
    result = run("--source", tmp_path / "none.jpg", "--model", tiny_model())
    expect_error(result, "none.jpg' does not exist", "camera number, a file, a folder or a URL")


def test_empty_folder(tiny_model: TinyModel, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("--source", tmp_path / "empty", "--model", tiny_model())
    expect_error(result, "holds no image", "name another one")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "since it is empty: remove it"),
        (b"plain text", "(no video is found in it): convert it to MP4"),
        (b"\x89PNG\r\n\x1a\n broken", "damaged or a rare kind of PNG: copy it again, or convert"),
    ],
)
def test_a_file_that_is_nothing(
    content: bytes, why: str, tiny_model: TinyModel, tmp_path: Path
) -> None:
    path = tmp_path / "file.dat"
    path.write_bytes(content)
    result = run("--source", path, "--model", tiny_model(), "--detector", "cascade")
    expect_error(result, "file.dat is no image", why)


def test_a_single_pixel_has_no_face(tiny_model: TinyModel, tmp_path: Path) -> None:
    path = write(tmp_path / "pixel.png", np.zeros((1, 1, 3), np.uint8))
    result = run("--source", path, "--model", tiny_model(), "--detector", "cascade")
    expect_error(result, "no face was found", "at least a twentieth of the picture")
    assert json.loads(result.stdout)["faces"] == []


def test_missing_camera(tiny_model: TinyModel) -> None:
    result = run("--camera", 97, "--model", tiny_model(), "--detector", "cascade")
    expect_error(result, "camera 97 gave no frame", "plugged in")


def test_opencv_says_nothing_of_a_missing_camera(
    tiny_model: TinyModel, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENCV_LOG_LEVEL", raising=False)
    before = cv2.utils.logging.getLogLevel()
    run("--camera", 97, "--model", tiny_model(), "--detector", "cascade")
    assert "VIDEOIO" not in capfd.readouterr().err
    assert cv2.utils.logging.getLogLevel() == before


def test_a_file_without_the_right_to_read_it_has_a_next_step(
    tiny_model: TinyModel, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def refusing(path: Path, *args: Any, **extra: Any) -> Any:  # an administrator may read all
        if path == photo:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **extra)

    monkeypatch.setattr(Path, "open", refusing)
    result = run(photo, "--model", tiny_model(), "--detector", "cascade")
    expect_error(
        result,
        f"{photo} cannot be read: Permission denied; let this user read it: chmod u+r {photo}",
    )


def test_unreachable_stream(tiny_model: TinyModel, tmp_path: Path) -> None:
    address = f"file://{tmp_path}/none.mp4"
    result = run("--source", address, "--model", tiny_model(), "--detector", "cascade")
    expect_error(result, "gave no frame: file:// is not read; http, https, rtsp,")


def test_a_pattern_without_a_match(tiny_model: TinyModel, tmp_path: Path) -> None:
    result = run("--source", tmp_path / "*.jpg", "--model", tiny_model())
    expect_error(result, f"no file matches {tmp_path}/*.jpg: name another")


def test_missing_model(photo: Path, tmp_path: Path) -> None:
    result = run("--source", photo, "--model", tmp_path / "none.onnx")
    expect_error(result, "none.onnx cannot be read", "name a file that dcrnet-export wrote")


@pytest.mark.parametrize("content", [b"", b"no model", b"\0" * 64, b"\x1c\0\0\0TF"])
def test_what_is_no_model(content: bytes, photo: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    result = run("--source", photo, "--model", path)
    expect_error(result, "model.tflite is neither a whole ONNX nor a whole TFLite file: export")
    assert "rotobuf" not in result.stderr


def test_truncated_model(photo: Path, tiny_model: TinyModel) -> None:
    path = tiny_model()
    path.write_bytes(path.read_bytes()[:200])
    expect_error(run("--source", photo, "--model", path), "neither a whole ONNX nor")


def test_a_checkpoint_is_to_be_exported(photo: Path, tmp_path: Path) -> None:
    header = b'{"bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    result = run("--source", photo, "--model", path)
    expect_error(result, "is a checkpoint (safetensors)", f"dcrnet-export {path} --int8")


def test_a_model_that_describes_nothing(photo: Path, tiny_model: TinyModel) -> None:
    result = run("--source", photo, "--model", tiny_model(card_json=""))
    expect_error(result, "carries no dcrnet-edge card", "dcrnet-export")


def test_a_model_of_another_version(photo: Path, tiny_model: TinyModel) -> None:
    card = json.loads(ModelCard(LABELS, PreprocessSpec(size_px=64)).to_json())
    newer = json.dumps({**card, "card_version": 9})
    expect_error(
        run("--source", photo, "--model", tiny_model(card_json=newer)),
        "card has version 9, this package knows 1",
        upgrade_command(),
    )
    contract = json.dumps({**card, "preprocess": {**card["preprocess"], "version": 9}})
    expect_error(
        run("--source", photo, "--model", tiny_model(card_json=contract)),
        "preprocessing contract has version 9, this runtime knows 1",
    )


@pytest.mark.parametrize("labels", ["abcdefg", ["joy"] * 7, ["", *LABELS[1:]]])
def test_labels_that_are_none(labels: object, photo: Path, tiny_model: TinyModel) -> None:
    card = {
        **json.loads(ModelCard(LABELS, PreprocessSpec(size_px=64)).to_json()),
        "labels": labels,
    }
    result = run("--source", photo, "--model", tiny_model(card_json=json.dumps(card)))
    expect_error(result, "are no list of different names", "export it again")


@pytest.mark.parametrize("key", ["figures", "provenance", "terms", "name"])
def test_a_card_of_other_values_is_refused(
    key: str, tiny_model: TinyModel, photo: Path, one_face: FixedDetector
) -> None:
    card = json.loads(ModelCard(LABELS, PreprocessSpec(size_px=64)).to_json())
    result = run("--source", photo, "--model", tiny_model(card_json=json.dumps({**card, key: 3})))
    expect_error(result, "the model's card has no ", "export the model again")


@pytest.mark.parametrize("address", ["", "9" * 20, "n" * 300, "/dev/null"])
def test_addresses_that_are_none(address: str, tiny_model: TinyModel) -> None:
    expect_error(run("--source", address, "--model", tiny_model()), "give a camera number")


def test_a_card_with_too_few_labels(photo: Path, tiny_model: TinyModel) -> None:
    card = ModelCard(LABELS[:3], PreprocessSpec(size_px=64)).to_json()
    result = run("--source", photo, "--model", tiny_model(card_json=card))
    expect_error(result, "gives 7 probabilities, its card has 3 labels")


def test_a_card_that_contradicts_the_graph(photo: Path, tiny_model: TinyModel) -> None:
    card = ModelCard(LABELS, PreprocessSpec(size_px=128)).to_json()
    result = run("--source", photo, "--model", tiny_model(card_json=card))
    expect_error(result, "its card says 128 px", "export it again")


def test_an_unwritable_output(tiny_model: TinyModel, photo: Path, one_face: FixedDetector) -> None:
    result = run("--source", photo, "--model", tiny_model(), "--save", photo / "below" / "a.png")
    expect_error(result, "could not be written")


def test_the_source_is_never_overwritten(tiny_model: TinyModel, photo: Path) -> None:
    before = photo.read_bytes()
    result = run("--source", photo, "--model", tiny_model(), "--save", photo)
    expect_error(result, "would overwrite the source: name another place")
    assert photo.read_bytes() == before


def test_a_folder_in_a_files_place(
    tiny_model: TinyModel, photo: Path, one_face: FixedDetector
) -> None:
    result = run("--source", photo, "--model", tiny_model(), "--save", photo.parent)
    expect_error(result, "is a folder: name a file in it")


def test_a_video_saved_as_no_video(tiny_model: TinyModel, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"any")
    result = run(
        *("--source", tmp_path / "clip.mp4", "--model", tiny_model(), "--detector", "cascade"),
        *("--save", tmp_path / "a.jpg"),
    )
    expect_error(result, "names no video: end it in .avi, .mkv, .mov, .mp4")


def test_an_unknown_detector(tiny_model: TinyModel, photo: Path) -> None:
    result = run("--source", photo, "--model", tiny_model(), "--detector", "magic")
    expect_error(result, f"choose {', '.join(DetectorKind)}")


def test_a_missing_landmark_bundle(tiny_model: TinyModel, photo: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.task"
    result = run("--source", photo, "--model", tiny_model(), "--landmarks", missing)
    expect_error(result, f"{missing} does not exist: name a MediaPipe")
    assert "Errno" not in result.stderr


def test_a_bad_landmark_bundle(tiny_model: TinyModel, photo: Path) -> None:
    result = run("--source", photo, "--model", tiny_model(), "--landmarks", photo)
    expect_error(result, "is not a MediaPipe face_landmarker.task bundle")


def test_a_missing_extra(monkeypatch: pytest.MonkeyPatch, tiny_model: TinyModel) -> None:
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    expect_error(run("--demo", "--model", tiny_model()), extra_command("demo"))
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    result = run("--demo", "--model", tiny_model(), "--detector", "mediapipe")
    expect_error(result, extra_command("mediapipe"))


def test_two_versions_of_cv2_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"opencv-python-headless": "4.12.0.88", "opencv-contrib-python": "4.11.0.86"}

    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError
        return installed[name]

    monkeypatch.setattr("dcrnet_runtime.cli.environment.metadata.version", version)
    line = cv2_conflict()
    assert line is not None
    assert "pip install opencv-python-headless==4.11.0.86 opencv-contrib-python==4.11.0.86" in line
    installed["opencv-python-headless"] = "4.11.0.86"
    assert cv2_conflict() is None


def test_there_is_nothing_to_fetch() -> None:
    result = run("--fetch-landmarks")
    assert result.exit_code == 0
    assert "nothing to fetch" in result.stderr
    assert result.stdout == ""


def test_the_detectors_old_option_works_with_a_notice(tiny_model: TinyModel, photo: Path) -> None:
    old, new = (
        run("--source", photo, "--model", tiny_model(), option, "cascade")
        for option in ("--finder", "--detector")
    )
    assert "--finder is now --detector; the old name goes in the release after" in old.stderr
    assert "--finder" not in new.stderr
    assert old.stdout == new.stdout
    assert "--finder" not in run("--help").output
    both = ("--finder", "cascade", "--detector", "auto")
    expect_error(
        run("--source", photo, "--model", tiny_model(), *both),
        "--finder and --detector exclude each other",
    )
