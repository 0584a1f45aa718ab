"""The page of every kind of study in a browser: narrow and wide, with names that no line holds."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import chromium
import numpy as np
import pytest
from bench_reports import latency, model, report
from chromium import Tab
from edge.studies.commands import on, study
from edge.studies.test_significance import answers
from generated import TinyModel
from generated_trees import write_folders

from dcrnet_edge.evaluation.predictions import save_predictions
from dcrnet_edge.models.checkpoint import Checkpoint, save_checkpoint
from dcrnet_edge.models.registry import create_model
from dcrnet_edge.studies.rare_labels.arms import Arm
from dcrnet_edge.studies.registry import STUDIES
from dcrnet_edge.training.run_config import RunConfig
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.preprocess.spec import PreprocessSpec

LONG = "a-network-with-a-name-that-no-line-of-a-telephone-can-hold-whole-128-int8.onnx"
WIDTHS = (360, 1280)
HOLDS = """
(() => {
  const wide = document.documentElement.clientWidth;
  const parts = 'h1, h2, p, figure, svg, figcaption, .scroll, pre';
  const outside = [...document.querySelectorAll(parts)]
    .filter(e => e.getBoundingClientRect().right > wide + 0.5)
    .map(e => `${e.tagName} ${Math.round(e.getBoundingClientRect().right)}`);
  const charts = [...document.querySelectorAll('svg')];
  const clipped = charts.flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')]
      .filter(t => { const r = t.getBoundingClientRect();
        return r.width > 0 && (r.right > frame.right + 2 || r.left < frame.left - 2); })
      .map(t => t.textContent);
  });
  return JSON.stringify({
    scroll: document.documentElement.scrollWidth - wide,
    outside, clipped,
    charts: charts.length,
    low: charts.filter(e => e.clientHeight < 60).length,
    tables: document.querySelectorAll('table').length,
  });
})()
"""

Maker = Callable[[Path, Path, Path], list[object]]
"""A model, a tree and an empty folder to a command's arguments."""


def robustness(file: Path, tree: Path, folder: Path) -> list[object]:
    return ["robustness", file, *on(tree), "--images", 4]


def quantization(file: Path, tree: Path, folder: Path) -> list[object]:
    return ["quantization", "--float", file, "--int8", file, *on(tree), "--images", 3]


def cross(file: Path, tree: Path, folder: Path) -> list[object]:
    return ["cross", file, "--on", f"folders:{tree}"]


def fairness(file: Path, tree: Path, folder: Path) -> list[object]:
    paths = sorted((tree / "test").rglob("*.png"))
    with (folder / "groups.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "age", LONG[:40]])
        for number, path in enumerate(paths):
            name = path.relative_to(tree)
            writer.writerow([name, "old" if number % 4 < 2 else "young", LONG[number % 2 :]])
    groups = ("--groups", folder / "groups.csv")
    return ["fairness", file, "--unlabelled", tree, *groups, "--workers", 1, "--least", 4]


def attention(file: Path, tree: Path, folder: Path) -> list[object]:
    return ["attention", file, *on(tree), "--images", 3, "--examples", 2]


def significance(file: Path, tree: Path, folder: Path) -> list[object]:
    paths = [folder / f"{LONG}-{number}.csv" for number in range(3)]
    for number, path in enumerate(paths):
        save_predictions(path, answers(np.arange(60) < 50 - 10 * number))
    return ["significance", *paths]


def ablation(file: Path, tree: Path, folder: Path) -> list[object]:
    rows = ("--row", "backbone", "--row", "gamma", "--row", "landmarks")
    asked = ("--data", tree, "--dataset", "folders", "--workers", 1, "--from-scratch")
    return ["ablation", *asked, *rows, "--epochs", 1, "--seeds", 3]


def joined(file: Path, tree: Path, folder: Path) -> list[object]:
    study(*robustness(file, tree, folder), "--family", "blur", "--out", folder / "robustness")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    others = [model(f"{n}-{LONG}", sha256=f"{n}{n}", latency_ms=latency(n)) for n in (3.0, 5.0)]
    mine = model(file.name, sha256=digest, latency_ms=latency(4.0), accuracy=None)
    (folder / "bench.json").write_text(report(mine, *others).to_json())
    return ["report", folder / "robustness", folder / "bench.json"]


def faces_of_two_labels(folder: Path) -> Path:
    """Enough of them for a generator and its judges."""
    root = folder / "faces"
    return root if root.is_dir() else write_folders(root, 22, ("train", "valid", "test"))


def gan_train(file: Path, tree: Path, folder: Path) -> list[object]:
    data = ("--data", faces_of_two_labels(folder), "--dataset", "folders")
    small = ("--epochs", 1, "--batch-size", 16, "--width", 4)
    return ["gan", "train", *data, "--label", "happiness", "--label", "neutral", *small]


def of_generator(kind: str, file: Path, tree: Path, folder: Path) -> list[object]:
    study(*gan_train(file, tree, folder), "--out", folder / "gan")
    generator = folder / "gan" / "generator.safetensors"
    return ["gan", kind, generator, "--data", faces_of_two_labels(folder), "--workers", 1]


def gan_sample(file: Path, tree: Path, folder: Path) -> list[object]:
    labels = ("happiness", "neutral")
    network = create_model("tf_efficientnet_lite0", labels=labels).eval()
    card = ModelCard(labels, PreprocessSpec(size_px=64))
    save_checkpoint(folder / f"{LONG}.safetensors", Checkpoint(network, card))
    asked = ("--model", folder / f"{LONG}.safetensors", "--faces", 20)
    return [*of_generator("sample", file, tree, folder), *asked]


def gan_effect(file: Path, tree: Path, folder: Path) -> list[object]:
    asked = ("--label", "happiness", "--faces", 4, "--from-scratch")
    return [*of_generator("effect", file, tree, folder), *asked]


MAKERS: dict[str, Maker] = {
    "robustness": robustness,
    "quantization": quantization,
    "cross": cross,
    "fairness": fairness,
    "attention": attention,
    "significance": significance,
    "ablation": ablation,
    "report": joined,
    "gan train": gan_train,
    "gan sample": gan_sample,
    "gan effect": gan_effect,
}


@pytest.fixture(autouse=True)
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that nobody trained: their page is looked at here, not their figures."""

    def write(config: RunConfig, data: object, start: object, root: Path, path: Path) -> None:
        save_predictions(path, answers(np.arange(60) < 40 + config.recipe.seed))

    def write_rare(arm: Arm, *rest: object) -> None:
        found = answers(np.arange(60) < 30 + len(arm))
        save_predictions(Path(str(rest[-1])), replace(found, labels=("neutral", "happiness")))

    monkeypatch.setattr("dcrnet_edge.studies.kinds.ablation._train", write)
    monkeypatch.setattr("dcrnet_edge.studies.kinds.gan.effect._train", write_rare)


def problems(page: Path, profile: Path) -> dict[str, object]:
    """What does not hold on a page, by what it is; nothing where it does."""
    found: dict[str, object] = {}
    with Tab(profile) as tab:
        for width in WIDTHS:
            tab.look(width, 900, "light")
            tab.open(page.as_uri())
            tab.wait_for("document.querySelectorAll('table').length > 0")
            tab.value("document.querySelector('details').open = true")
            seen = json.loads(tab.value(HOLDS))
            assert seen.pop("tables") > 0
            if not seen.pop("charts"):
                found[f"charts at {width}"] = 0
            found |= {f"{name} at {width}": each for name, each in seen.items() if each}
        if tab.problems:
            found["console"] = tab.problems
    return found


@pytest.mark.skipif(chromium.PATH is None, reason="needs chromium")
@pytest.mark.parametrize("kind", MAKERS)
def test_a_kinds_page_holds(kind: str, tree: Path, tiny_model: TinyModel, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    arguments = MAKERS[kind](tiny_model(name=LONG), tree, work)
    study(*arguments, "--out", tmp_path / "out")
    assert problems(tmp_path / "out" / "report.html", tmp_path / "profile") == {}


@pytest.mark.skipif(chromium.PATH is None, reason="needs chromium")
def test_a_page_that_does_not_hold_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><table></table><details></details><p style='width:2000px'>wide</p>"
        "<svg width='50' height='80'><text x='40' y='20'>too far out</text></svg>"
        "<script>console.error('no')</script>"
    )
    found = problems(page, tmp_path / "profile")
    assert {"console", "scroll at 360", "outside at 1280", "clipped at 360"} <= set(found)


def test_every_kind_has_its_page_looked_at() -> None:
    assert [name for name in STUDIES.names() if name not in MAKERS] == []
