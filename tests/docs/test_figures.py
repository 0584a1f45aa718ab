"""The pages' tables state the measured figures, and the chart shows them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from docs.draw_chart import CHART, digest, draw, read
from docs.draw_demo import DEMO, head
from docs.pages import ROOT, blocks, commands
from typer.testing import CliRunner

DRAWN_SHARE = 0.036
"""Of the picture's pixels, what box and label cover."""
README = (ROOT / "README.md").read_text()


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def test_accuracy() -> None:
    document = read("accuracy")
    for model in document["models"]:
        cells = [f"{model['mb']:.2f}"]
        for key in ("accuracy_percent", "balanced_accuracy_percent"):
            cells.append("{:.2f} % ({} to {})".format(*model[key]))
        cells.append("{:.3f} ({:.3f} to {:.3f})".format(*model["macro_f1"]))
        cells.append(f"{model['calibration_error']:.3f}")
        row = f" | {' | '.join(cells)} |"
        assert f"| {model['name']}{row}" in page("model.md")
        assert row in next(x for x in README.splitlines() if x.startswith(f"| {model['name']}"))
    assert f"{document['images']:,} images" in README
    assert document["date"] in README
    assert document["command"] in page("model.md")


def test_latency() -> None:
    document = read("latency")
    rows = [line.split("|")[1:-1] for line in page("bench.md").splitlines() if "TFLite |" in line]
    rows += [line.split("|")[1:-1] for line in page("bench.md").splitlines() if "ONNX |" in line]
    stated = {row[0].strip(): [cell.split("(")[0].strip(" *") for cell in row[1:]] for row in rows}
    columns = [machine["latency_ms"][side] for machine in document["machines"] for side in ("128", "224")]
    for name, cells in stated.items():
        assert [float(cell) for cell in cells] == [column[name] for column in columns]
    assert len(stated) == 4
    for machine in document["machines"]:
        assert machine["date"] in page("bench.md")
    assert document["command"] in page("bench.md")


def test_gains() -> None:
    """int8's gains, in brackets, follow from the times."""
    for machine, columns in zip(read("latency")["machines"], ((1, 2), (3, 4)), strict=True):
        for side, column in zip(("128", "224"), columns, strict=True):
            times = machine["latency_ms"][side]
            for kind in ("ONNX", "TFLite"):
                row = next(x for x in page("bench.md").splitlines() if x.startswith(f"| int8 {kind}"))
                gain = times[f"fp32 {kind}"] / times[f"int8 {kind}"]
                stated = float(row.split("|")[column + 1].split("(")[1].split("x")[0])
                assert stated == pytest.approx(gain, abs=0.0501)


def test_the_loop() -> None:
    for loop in read("loop")["loops"]:
        row = (
            f"| {loop['name']} | {loop['fps']} | {loop['delay_ms']} (p90 {loop['delay_p90_ms']})"
            f" | {loop['cpu_ms']} | {loop['peak_mb']} | {loop['with_face_percent']} % |"
        )
        assert row in page("bench.md")
    assert read("loop")["date"] in page("bench.md")


def test_ck_plus() -> None:
    """The table of CK+ is what the command above it prints."""
    pytest.importorskip("torch", reason="needs the train extra")
    from dcrnet_edge.cli.eval import app

    training = ROOT / "docs" / "training.md"
    (block,) = (each for each in blocks(training) if each.example == "ck-plus")
    (command,) = commands(block.code, str(block))
    files = [str(ROOT / word) for word in command.words[1:-1]]
    result = CliRunner().invoke(app, [*files, command.words[-1]])
    assert result.exit_code == 0, result.output
    for file in files:
        row = next(x for x in result.stdout.splitlines() if x.startswith(f"| {Path(file).name}"))
        assert row.split("|", 3)[3] in training.read_text()


def test_the_picture_is_what_the_demo_draws(tmp_path: Path) -> None:
    """But for a line or a digit that another processor may draw a pixel aside."""
    pytest.importorskip("skimage", reason="needs the demo extra")
    from dcrnet_runtime.cli.run import app

    drawn = tmp_path / "drawn.png"
    result = CliRunner().invoke(app, ["--demo", "--save", str(drawn)])
    assert result.exit_code == 0, result.output
    shown, now = cv2.imread(str(DEMO)).astype(int), head(cv2.imread(str(drawn))).astype(int)
    assert (np.abs(shown - now).max(axis=2) > 16).mean() < DRAWN_SHARE / 4


def test_the_chart_is_drawn_from_these_figures(tmp_path: Path) -> None:
    assert digest() in CHART.read_text(), "run: python tests/docs/draw_chart.py"
    pytest.importorskip("matplotlib", reason="needs the train extra")
    draw(tmp_path / "chart.svg")
    assert digest() in (tmp_path / "chart.svg").read_text()
