"""Each example of docs/architecture.md adds what it says it adds."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from conftest import TinyModel
from docs.pages import ROOT, Block, blocks
from generated import synthetic_frame, write_clip
from typer.testing import CliRunner

PAGE = ROOT / "docs" / "architecture.md"
EXAMPLES = {block.example: block for block in blocks(PAGE) if block.example}
MOST_LINES = 40


def names_of(block: Block) -> dict[str, Any]:
    """What an example defines."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(block.code, str(block), "exec"), names)
    return names


def run(app: Any, *arguments: object) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    """The registries are as they were when the test has ended."""
    from dcrnet_bench.comparisons.registry import COMPETITORS
    from dcrnet_bench.meters.registry import METERS
    from dcrnet_bench.targets.registry import TARGETS
    from dcrnet_runtime.backends.registry import BACKENDS
    from dcrnet_runtime.detectors.detector import DETECTORS
    from dcrnet_runtime.video.source import SOURCE_KINDS

    mappings: list[dict[str, Any]] = [COMPETITORS, METERS, TARGETS, BACKENDS, DETECTORS]
    before, kinds = [dict(each) for each in mappings], list(SOURCE_KINDS)
    yield
    for each, old in zip(mappings, before, strict=True):
        each.clear()
        each.update(old)
    SOURCE_KINDS[:] = kinds


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of nobody."""
    path = tmp_path / "photo.png"
    assert cv2.imwrite(str(path), synthetic_frame())
    return path


def test_every_example_is_tested() -> None:
    here = Path(__file__).read_text()
    assert [name for name in EXAMPLES if f'EXAMPLES["{name}"]' not in here] == []
    assert "<!-- stub" not in PAGE.read_text()


def test_examples_are_short() -> None:
    lines = {name: len(block.code.splitlines()) for name, block in EXAMPLES.items()}
    assert max(lines.values()) <= MOST_LINES, lines


def test_a_back_end(photo: Path, tiny_model: TinyModel) -> None:
    from dcrnet_runtime.cli.run import app

    names_of(EXAMPLES["back end"])
    names_of(EXAMPLES["detector"])
    options = ("--backend", "coin", "--model", tiny_model(), "--detector", "middle")
    (face,) = json.loads(run(app, "--source", photo, *options))["faces"]
    assert face["probabilities"] == {"calm": 0.5, "cross": 0.5}


def test_a_detector(photo: Path, tiny_model: TinyModel) -> None:
    from dcrnet_runtime.cli.run import app

    names_of(EXAMPLES["detector"])
    line = run(app, "--source", photo, "--model", tiny_model(), "--detector", "middle")
    (face,) = json.loads(line)["faces"]
    assert face["box"] == [80, 60, 160, 120]


def test_a_source(tiny_model: TinyModel) -> None:
    from dcrnet_runtime.cli.run import app

    names_of(EXAMPLES["source"])
    lines = run(app, "--source", "grey:3", "--model", tiny_model(), "--detector", "cascade")
    assert [json.loads(line)["frame"] for line in lines.splitlines()] == [0, 1, 2]


def test_a_meter() -> None:
    from dcrnet_bench.host.device import Device
    from dcrnet_bench.meters.registry import open_meter

    names_of(EXAMPLES["meter"])
    meter = open_meter(Device.GPU)
    meter.start()
    assert meter.name == "the name plate"
    assert meter.stop() > 0


def test_a_target(tiny_model: TinyModel) -> None:
    from dcrnet_bench.cli.bench import app

    names_of(EXAMPLES["target"])
    result = CliRunner().invoke(app, [str(tiny_model()), "--device", "gpu", "--runs", "2"])
    assert result.exit_code == 0, result.output
    assert "warning: measured on the machine that stands beside this one" in result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["models"][0]["latency_ms"]["median"] > 0


def test_a_competitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dcrnet_bench.comparisons.loop import app
    from dcrnet_bench.comparisons.registry import COMPETITORS

    monkeypatch.chdir(tmp_path)
    Path("rival_loop.py").write_text(EXAMPLES["competitor script"].code)
    Path("rival").mkdir()
    Path("rival/rival.py").write_text("def sees_a_face(bgr):\n    return True\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "rival"))
    names_of(EXAMPLES["competitor"])
    monkeypatch.delitem(COMPETITORS, "ours")
    clip = write_clip(tmp_path / "clip.avi", 40, fps=25)
    options = ("--frames", 4, "--rounds", 1, "--python", f"rival={sys.executable}")
    assert "| A rival |" in run(app, clip, *options)
