"""The pages' examples on tables and features do what the text says, on generated answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from docs.pages import ROOT, blocks
from generated import LABELS, FixedDetector, TinyModel
from observed import boxed, observation, tracked
from typer.testing import CliRunner

from dcrnet_runtime.cli.run import app
from dcrnet_runtime.outputs import FrameFacts, OutputPlan, open_publisher
from dcrnet_runtime.video.feed import Feed

pytest.importorskip("pandas", reason="needs the tables extra")
pytest.importorskip("pyarrow.parquet", reason="needs the tables extra")

EXAMPLES = {
    block.example: block
    for page in ("archives.md", "features.md")
    for block in blocks(ROOT / "docs" / page)
    if block.example
}
Shows = Callable[[str], str]


@pytest.fixture
def shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shows:
    """Runs an example in a folder of its own; what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")

    def run(name: str) -> str:
        block = EXAMPLES[name]
        exec(compile(block.code, str(block), "exec"), {})
        return capsys.readouterr().out

    return run


def write_answers(form: str) -> None:
    """A face is happy for 2 s, afraid for 1 s, hidden for a minute, and afraid for a frame."""
    path = Path(f"faces.{form}")
    shown = [*(["happiness"] * 20), *(["fear"] * 10), *([None] * 600), "fear"]
    place: Any = str(path) if form == "jsonl" else path
    options: dict[str, Any] = {"jsonl": None, form: place}
    facts = FrameFacts(LABELS, Feed.RECORDING)
    publisher = open_publisher(OutputPlan.of(facts, **options))
    for index, label in enumerate(shown):
        faces = [] if label is None else [tracked(1, label)]
        publisher.publish(observation(index, *faces, fps=10.0))
    publisher.close()


def test_every_example_is_here() -> None:
    assert sorted(EXAMPLES) == ["classifier", "join", "plot", "time spent"]


def test_time_spent_in_each_expression(shows: Shows) -> None:
    write_answers("parquet")
    header, _, row = shows("time spent").splitlines()[-3:]
    spent = dict(zip(header.split()[1:], row.split()[2:], strict=True))
    assert spent == {"happiness": "2.0", "fear": "0.9"}


def test_a_plot_over_a_recording(shows: Shows) -> None:
    pytest.importorskip("matplotlib", reason="needs the bench extra")
    write_answers("csv")
    shows("plot")
    picture = cv2.imread("clip.png")
    assert picture is not None
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 5


def test_answers_joined_with_a_table(shows: Shows) -> None:
    write_answers("jsonl")
    Path("people.csv").write_text("source,group\nclip.mp4,control\n")
    printed = shows("join")
    assert "control" in printed
    assert "0.65" in printed  # 20 of 31


def test_a_classifier_on_features(
    shows: Shows, tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn", reason="needs the train extra")
    rng = np.random.default_rng(0)
    lines, photos = ["source,label,person"], Path("photos")
    photos.mkdir()
    for number in range(24):
        label, level = (("dark", 60), ("light", 180))[number % 2]
        is_wrong = number == 5
        given = {"light": "dark", "dark": "light"}[label] if is_wrong else label
        rgb = np.full((64, 64, 3), level, np.uint8) + rng.integers(0, 20, (64, 64, 3))
        assert cv2.imwrite(str(photos / f"{number:02d}.png"), rgb.astype(np.uint8))
        lines.append(f"{number:02d}.png,{given},{number // 4}")
    Path("labels.csv").write_text("\n".join(lines))
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector",
        lambda *_, **__: FixedDetector(boxed(8, 8, 48)),
    )
    arguments = ["photos", "--model", tiny_model(features=True), "--features", "features.parquet"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--workers", "1"])
    assert result.exit_code == 0, result.output
    printed = shows("classifier")
    assert "right: 95.8% of 24" in printed  # all but the one whose label is wrong
    first = printed.splitlines()[2]
    assert "05.png" in first
