"""Each example of docs/architecture.md adds what it says it adds."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from docs.pages import ROOT, Block, blocks
from generated import TinyModel, synthetic_frame, write_clip
from generated_trees import write_folders
from typer.testing import CliRunner

from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.models import shipped_model

PAGE = ROOT / "docs" / "architecture.md"
EXAMPLES = {block.example: block for block in blocks(PAGE) if block.example}
WALKS = [block for block in blocks(PAGE) if block.language == "text"]
PACKAGES = ("runtime/dcrnet_runtime", "dcrnet_edge", "export/dcrnet_export", "bench/dcrnet_bench")
MOST_LINES = 40


def names_of(block: Block) -> dict[str, Any]:
    """What an example defines."""
    names = vars(sys.modules["example"])
    exec(compile(block.code, str(block), "exec"), names)
    return names


def run(app: Any, *arguments: object) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def example_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module for the example; the registries are as they were when the test has ended."""
    from dcrnet_bench.comparisons.registry import COMPETITORS
    from dcrnet_bench.meters.registry import METERS
    from dcrnet_bench.targets.registry import TARGETS
    from dcrnet_edge.datasets import registry as datasets
    from dcrnet_edge.models import registry as networks
    from dcrnet_edge.studies import registry as studies
    from dcrnet_export.formats.registry import FORMATS
    from dcrnet_runtime.backends.registry import BACKENDS
    from dcrnet_runtime.detectors.detector import DETECTORS
    from dcrnet_runtime.outputs.registry import OUTPUTS
    from dcrnet_runtime.video.source import SOURCE_KINDS

    monkeypatch.setitem(sys.modules, "example", ModuleType("example"))
    monkeypatch.setattr(datasets, "_DATASETS", copy.deepcopy(datasets._DATASETS))
    monkeypatch.setattr(networks, "_NETWORKS", copy.deepcopy(networks._NETWORKS))
    monkeypatch.setattr(studies.STUDIES, "_entries", {**studies.STUDIES._entries})
    mappings: list[dict[str, Any]] = [COMPETITORS, METERS, TARGETS, BACKENDS, DETECTORS, FORMATS]
    lists: list[list[Any]] = [OUTPUTS, SOURCE_KINDS]
    before = [each.copy() for each in mappings], [each.copy() for each in lists]
    yield
    for mapping, entries in zip(mappings, before[0], strict=True):
        mapping.clear()
        mapping.update(entries)
    for items, old in zip(lists, before[1], strict=True):
        items[:] = old


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of nobody."""
    path = tmp_path / "photo.png"
    assert cv2.imwrite(str(path), synthetic_frame())
    return path


@pytest.mark.parametrize("package", PACKAGES)
def test_the_map_has_every_room(package: str) -> None:
    folder = ROOT / package
    (row,) = (line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{package}`"))
    rooms = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert set(re.findall(r"`(\w+)`", row.split("|")[3])) == rooms


@pytest.mark.parametrize("package", PACKAGES[:3])
def test_the_walks_go_through_modules_that_are_there(package: str) -> None:
    walk = WALKS[PACKAGES.index(package)]
    names = [line.split()[0] for line in walk.code.splitlines()]
    missing = [name for name in names if not any((ROOT / package).glob(f"{name}*"))]
    assert (len(names) > 5, missing) == (True, [])


def test_every_example_is_tested() -> None:
    here = Path(__file__).read_text()
    assert [name for name in EXAMPLES if f'EXAMPLES["{name}"]' not in here] == []
    assert "<!-- stub" not in PAGE.read_text()


def test_examples_are_short() -> None:
    lines = {name: len(block.code.splitlines()) for name, block in EXAMPLES.items()}
    assert max(lines.values()) <= MOST_LINES, lines


def test_a_network(tmp_path: Path) -> None:
    """It is trained by its name, and comes back by it."""
    from dcrnet_edge import load_checkpoint
    from dcrnet_edge.cli.train import app

    names = names_of(EXAMPLES["network"])
    write_folders(tmp_path / "tree", 8, ("train", "valid", "test"))
    options: tuple[object, ...] = ("--dataset", "folders", "--network", "tinynet")
    options += ("--from-scratch", "--size", 64, "--epochs", 1, "--batch-size", 8)
    options += ("--set", "recipe.progressive=[]")
    run(app, "--data", tmp_path / "tree", "--out", tmp_path / "run", *options)
    checkpoint = load_checkpoint(tmp_path / "run" / "model.safetensors")
    assert isinstance(checkpoint.network, names["TinyNet"])


def test_a_data_set(tmp_path: Path) -> None:
    from dcrnet_edge.cli.eval import app

    names_of(EXAMPLES["data set"])
    rng = np.random.default_rng(0)
    for split in ("train", "valid", "test"):
        for label in ("happiness", "neutral"):
            pixels = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
            assert cv2.imwrite(str(tmp_path / f"P1-{label}-{split}.png"), pixels)
    options = ("--data", tmp_path, "--dataset", "posed", "--shared-labels", "--json")
    run(app, shipped_model(), *options, tmp_path / "figures.json")
    document = json.loads((tmp_path / "figures.json").read_text())
    assert [model["images"] for model in document["models"].values()] == [2]


def test_a_study(tmp_path: Path) -> None:
    from dcrnet_edge.studies.command import app

    names_of(EXAMPLES["study"])
    printed = run(app, "coin", "--throws", 5, "--out", tmp_path / "coin")
    assert json.loads(printed.splitlines()[-1])["verdict"] == ["5 of 5 throws were heads."]
    assert (tmp_path / "coin" / "report.html").is_file()


def test_an_output(photo: Path, tiny_model: TinyModel, tmp_path: Path) -> None:
    from dcrnet_runtime.cli.run import build_app

    names_of(EXAMPLES["output"])
    names_of(EXAMPLES["detector"])
    options = ("--model", tiny_model(), "--detector", "middle", "--tally", tmp_path / "faces.txt")
    run(build_app(), "--source", photo, *options)
    assert (tmp_path / "faces.txt").read_text() == "1"


def test_a_format(tmp_path: Path) -> None:
    from dcrnet_edge import load_checkpoint
    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_export import lower
    from dcrnet_export.artifacts.inspection import describe
    from dcrnet_export.cli.export import app
    from dcrnet_export.formats.registry import file_format

    names_of(EXAMPLES["format"])
    checkpoint = load_checkpoint(shipped_checkpoint())
    entry = file_format("list")
    content = entry.float_emitters[Precision.FP32](lower(checkpoint.network, 128), 1)
    path = tmp_path / "model.list"
    path.write_bytes(entry.with_card(content, checkpoint.card))
    assert (describe(path).format, describe(path).card) == ("list", checkpoint.card)
    run(app, "inspect", path)


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
