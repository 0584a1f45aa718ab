"""``dcrnet-run summary``: counts, time lines, and faces cut from the sources again."""

from __future__ import annotations

import base64
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import chromium
import cv2
import numpy as np
import pytest
from chromium import Tab
from generated import LABELS, FixedDetector
from numpy.typing import NDArray
from observed import boxed, observation
from typer.testing import CliRunner

from dcrnet_runtime.answers import cutting
from dcrnet_runtime.answers.counts import expression_counts, least_certain
from dcrnet_runtime.answers.timeline import clock, spans_of, timeline_svg
from dcrnet_runtime.cli.run import app
from dcrnet_runtime.observation import Observation, TrackedFace
from dcrnet_runtime.outputs import FrameFacts, OutputPlan, open_publisher
from dcrnet_runtime.recognizer import Recognition
from dcrnet_runtime.video.feed import Feed
from dcrnet_runtime.video.frame import Frame

pd = pytest.importorskip("pandas", reason="needs the tables extra")
pytest.importorskip("pyarrow.parquet", reason="needs the tables extra")

from dcrnet_runtime import read_answers  # noqa: E402  (skipped above where it cannot work)

LONG = "a-recording-with-a-name-that-no-line-of-a-phone-can-hold-whole-and-more.mp4"
HOSTILE = '<img src=x onerror=alert(1)>"&.jpg'


def sure(label: str, probability: float, track: int = 0, x: float = 10) -> TrackedFace:
    """A face of a label, so probable."""
    rest = (1 - probability) / (len(LABELS) - 1)
    row = np.full(len(LABELS), rest, np.float32)
    row[LABELS.index(label)] = probability
    recognition = Recognition(boxed(x, 10, 40), LABELS, row)
    return TrackedFace(track, recognition, label, row, 0.0)


def still(name: str, *faces: TrackedFace) -> Observation:
    frame = Frame(np.zeros((9, 9, 3), np.uint8), 0, 0.0, name)
    empty = Observation.of_still(frame, [])
    return replace(empty, faces=faces)


def written(path: Path, *seen: Observation, settings: dict[str, Any] | None = None) -> Path:
    facts = FrameFacts(LABELS, Feed.FILES, settings=settings or {})
    options: dict[str, Any] = {"jsonl": None, path.suffix[1:]: path}
    publisher = open_publisher(OutputPlan.of(facts, **options))
    for each in seen:
        publisher.publish(each)
    publisher.close()
    return path


def coloured(path: Path) -> Path:
    """A photo, red where :func:`sure` has its box, else blue."""
    bgr = np.full((80, 120, 3), (255, 0, 0), np.uint8)
    bgr[10:50, 10:50] = (0, 0, 255)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), bgr)
    return path


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["summary", *map(str, arguments)], env={"COLUMNS": "200"})


def pictures(page: Path) -> list[NDArray[np.uint8]]:
    """The faces on a page, RGB."""
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page.read_text())
    decoded = [
        np.asarray(cv2.imdecode(np.frombuffer(base64.b64decode(each), np.uint8), 1), np.uint8)
        for each in found
    ]
    return [np.asarray(bgr[:, :, ::-1], np.uint8) for bgr in decoded]


def test_counts_by_source_and_expression(tmp_path: Path) -> None:
    unsure = replace(sure("fear", 0.3), label=None)
    answers = read_answers(
        written(
            tmp_path / "a.parquet",
            still("a.jpg", sure("fear", 0.9), sure("fear", 0.8), unsure),
            still("b.jpg", sure("anger", 0.9)),
        )
    )
    counts = expression_counts(answers)
    assert list(counts.index) == ["a.jpg", "b.jpg"]
    assert list(counts.columns) == [*LABELS, "uncertain", "all"]
    assert counts.loc["a.jpg", ["fear", "uncertain", "all", "anger"]].tolist() == [2, 1, 3, 0]
    assert counts.sum()["all"] == 4


def test_least_certain_first_and_one_of_a_followed_face(tmp_path: Path) -> None:
    seen = [
        still("a.jpg", sure("fear", 0.9), sure("fear", 0.6)),
        *(observation(i, sure("fear", p, track=4)) for i, p in enumerate((0.95, 0.5, 0.7))),
    ]
    answers = read_answers(written(tmp_path / "a.parquet", *seen))
    (rows,) = least_certain(answers, 10).values()
    assert rows["probability"].tolist() == pytest.approx([0.5, 0.6, 0.9])
    assert rows["frame"].iloc[0] == 1
    (few,) = least_certain(answers, 2).values()
    assert len(few) == 2


def test_spans_end_where_the_face_or_its_expression_does(tmp_path: Path) -> None:
    seen = [
        *(observation(i, sure("fear", 0.9, track=1)) for i in range(4)),
        *(observation(i, sure("anger", 0.9, track=1)) for i in range(4, 6)),
        *(observation(i, sure("anger", 0.9, track=1)) for i in range(100, 102)),  # 4 s later
        observation(101, sure("fear", 0.9, track=2)),
    ]
    answers = read_answers(written(tmp_path / "a.parquet", *seen))
    spans = spans_of(answers)
    assert [s.label for s in spans[1]] == ["fear", "anger", "anger"]
    edges = [value for s in spans[1] for value in (s.start_s, s.end_s)]
    assert edges == pytest.approx([0, 0.16, 0.16, 0.24, 4.0, 4.08])
    (last,) = spans[2]
    assert (last.start_s, last.end_s, last.label) == pytest.approx((4.04, 4.08, "fear"))
    svg = timeline_svg(answers, LABELS, HOSTILE)
    assert svg.count("<rect") == 4
    assert 'x="3.922%"' in svg
    assert "<img" not in svg


def test_clock() -> None:
    assert [clock(s) for s in (0, 7.45, 59.96, 3723.4)] == [
        "0:00.0",
        "0:07.5",
        "1:00.0",
        "1:02:03.4",
    ]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_faces_are_cut_from_the_photos_again(tmp_path: Path, form: str) -> None:
    coloured(tmp_path / "deep" / "below" / "a.png")
    path = written(
        tmp_path / f"answers.{form}",
        still("a.png", sure("fear", 0.9)),
        still("gone.png", sure("anger", 0.8)),
        still("rtsp://camera", sure("anger", 0.7)),
    )
    result = invoke(path, "--sources", tmp_path / "deep")
    assert result.exit_code == 0, result.output
    page = tmp_path / f"answers.{form}-summary.html"
    assert "faces recognisable" in result.output
    assert "Sent: nothing" in result.output
    assert "No face could be cut from" in result.output
    (face,) = pictures(page)
    assert face.shape == (112, 112, 3)
    middle, corner = face[56, 56].astype(int), face[105, 105].astype(int)
    assert middle[0] > 200
    assert middle[2] < 60
    assert corner[2] > 200
    text = page.read_text()
    assert "<li>gone.png: it is not there</li>" in text
    assert "<li>rtsp://camera: it was no file</li>" in text
    assert [each.name for each in tmp_path.glob(".*")] == []


def test_faces_are_blurred_when_asked(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), noise)
    path = written(tmp_path / "a.csv", still("a.png", sure("fear", 0.9)))
    page = tmp_path / "page.html"
    assert "faces blurred" in invoke(path, "--out", page, "--blur-faces").output
    (blurred,) = pictures(page)
    invoke(path, "--out", page)
    (plain,) = pictures(page)
    assert np.abs(np.diff(blurred.astype(int), axis=0)).mean() < 4
    assert np.abs(np.diff(plain.astype(int), axis=0)).mean() > 12


def test_faces_of_a_recording_are_those_of_their_frames(tmp_path: Path) -> None:
    clip = cv2.VideoWriter(
        str(tmp_path / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, (128, 96)
    )
    for level in (40, 80, 120, 160, 200):
        clip.write(np.full((96, 128, 3), level, np.uint8))
    clip.release()
    seen = [
        observation(i, sure("fear", 0.5 + 0.1 * i, track=i + 1), name="clip.mp4")
        for i in (3, 1, 4)
    ]
    invoke(written(tmp_path / "a.csv", *seen))
    found = pictures(tmp_path / "a.csv-summary.html")
    assert [face.mean() for face in found] == pytest.approx([80, 160, 200], abs=6)


def test_turned_pictures_are_turned_again(tmp_path: Path) -> None:
    rgb = np.zeros((120, 80, 3), np.uint8)
    rgb[120 - 50 : 120 - 10, 10:50] = 255  # turned by 90 degrees the box is white
    assert cv2.imwrite(str(tmp_path / "a.png"), rgb)
    path = written(
        tmp_path / "a.parquet", still("a.png", sure("fear", 0.9)), settings={"rotation_deg": 90}
    )
    invoke(path)
    (face,) = pictures(tmp_path / "a.parquet-summary.html")
    assert face[56, 56].mean() > 240
    invoke(path, "--rotate", 0)
    (face,) = pictures(tmp_path / "a.parquet-summary.html")
    assert face[56, 56].mean() < 20


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        coloured(tmp_path / "all" / folder / "a.png")
    places = cutting.Places([tmp_path / "all"])
    assert places.find("x/a.png").parent.name == "x"
    with pytest.raises(Exception, match="there are 2 of that name"):
        places.find("a.png")
    for name in ("no.png", "\0", "n" * 5000, "", "https://example.org/a.png"):
        with pytest.raises(Exception, match=r"not there|cannot be looked for|no file"):
            places.find(name)


def test_another_picture_of_that_name_is_named(tmp_path: Path) -> None:
    coloured(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    path = written(
        tmp_path / "a.csv",
        still("a.png", sure("fear", 0.9, x=5000)),
        still("b.png", sure("fear", 0.9)),
    )
    assert invoke(path).exit_code == 0
    text = (tmp_path / "a.csv-summary.html").read_text()
    assert "a.png: it is another picture" in text
    assert re.search(r"<li>b\.png: [^<]*b\.png", text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gone.csv",), "No such file"),
        ((__file__,), "no answers that are known here"),
        (("a.csv", "--sources", "gone"), "--sources gone is no folder"),
        (("a.csv", "--out", "a.csv"), "--out a.csv would overwrite the answers"),
        (("a.csv", "--rotate", "45"), "a rotation of 45 degrees"),
        (("a.csv", "--out", "."), "is a folder"),
        ((), "Missing argument"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path("a.csv"), still("a.png", sure("fear", 0.9)))
    before = Path("a.csv").read_bytes()
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert said.lower() in result.output.lower()
    assert "Traceback" not in result.output
    assert Path("a.csv").read_bytes() == before


def test_a_file_named_summary_is_reachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    coloured(tmp_path / "a.png")
    shutil.copy("a.png", "summary")
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector",
        lambda *_, **__: FixedDetector(boxed(10, 10, 40)),
    )
    for words in (["./summary"], ["--source", "summary"], ["a.png"]):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        assert '"schema": 1' in result.stdout
    assert "summary FILE" in CliRunner().invoke(app, ["--help"]).output
    assert "--blur-faces" in invoke("--help").output


def test_no_faces_leaves_the_sources_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", still("a.png", sure("fear", 0.9)))
    result = invoke(path, "--faces", 0)
    assert result.exit_code == 0
    assert "could be cut" not in result.output
    assert "<h3>" not in (tmp_path / "a.csv-summary.html").read_text()


def test_a_file_without_faces_has_a_page(tmp_path: Path) -> None:
    assert invoke(written(tmp_path / "a.csv", still("a.png"))).exit_code == 0
    assert "0 faces in 0 sources" in (tmp_path / "a.csv-summary.html").read_text()


@pytest.mark.skipif(chromium.PATH is None, reason="needs chromium")
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_holds_in_a_browser(tmp_path: Path, width: int) -> None:
    coloured(tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", tmp_path / HOSTILE)
    seen = [
        still("a.png", sure("fear", 0.9), sure("anger", 0.5)),
        still(HOSTILE, sure("anger", 0.9)),
        *(observation(i, sure("fear", 0.9, track=1), name=LONG) for i in range(4)),
    ]
    page = tmp_path / "page.html"
    invoke(written(tmp_path / "a.parquet", *seen), "--out", page)
    text = page.read_text()
    assert "http:" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in text
    with Tab(tmp_path / "profile") as tab:
        tab.look(width, 900, "light")
        tab.open(page.as_uri())
        tab.wait_for("document.querySelectorAll('svg').length == 1")
        loaded = "[...document.images].filter(e => e.complete && e.naturalWidth == 112).length"
        tab.value("[...document.images].forEach(e => e.loading = 'eager')")
        tab.wait_for(f"{loaded} == 3")
        assert tab.value("document.querySelectorAll('img').length") == 3
        assert tab.value("document.documentElement.scrollWidth") <= width
        assert tab.value("document.querySelector('tr').clientHeight") < 60  # no broken words
        assert tab.value("document.querySelector('svg rect').getBoundingClientRect().width") > 200
        right = (
            "Math.max(...[...document.querySelectorAll('svg, h1, h3, p, figcaption, img')].map("
        )
        assert tab.value(right + "e => e.getBoundingClientRect().right))") <= width
        assert tab.problems == []
