"""``dcrnet-study gan`` on a small tree: train, sample, effect, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from edge.studies.commands import refused, study
from generated import FixedDetector
from generated_trees import write_folders
from torch import Tensor, nn

from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dcrnet_edge.models.registry import create_model
from dcrnet_edge.studies.generating import drawing
from dcrnet_edge.studies.generating.adversarial import AdversarialTraining
from dcrnet_edge.studies.generating.generator_file import load_generator
from dcrnet_edge.studies.generating.networks import Generator
from dcrnet_edge.studies.generating.picture_file import read_pictures
from dcrnet_edge.studies.generating.pictures import grey_picture, sheet
from dcrnet_edge.training.run import Run
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec

IMAGES = 22
LABELS = ("happiness", "neutral")
SMALL = ["--epochs", 1, "--batch-size", 8, "--width", 4]


@pytest.fixture
def tree(tmp_path: Path, detector: FixedDetector) -> Path:
    return write_folders(tmp_path / "tree", IMAGES, ("train", "valid", "test"))


@pytest.fixture
def generator(tree: Path, tmp_path: Path) -> Path:
    study("gan", "train", *on(tree), "--label", "happiness", *SMALL, "--out", tmp_path / "gan")
    return tmp_path / "gan" / "generator.safetensors"


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """An expression network of random weights, which is quick."""
    torch.manual_seed(0)
    model = create_model("tf_efficientnet_lite0", labels=LABELS).eval()
    card = ModelCard(LABELS, PreprocessSpec(size_px=64))
    save_checkpoint(tmp_path / "network.safetensors", Checkpoint(model, card))
    return tmp_path / "network.safetensors"


def on(tree: Path) -> list[object]:
    return ["--data", tree, "--dataset", "folders"]


def asked(generator: Path, tree: Path) -> list[object]:
    return [generator, "--data", tree, "--workers", 1]


def test_a_generators_card_tells_where_it_comes_from(tree: Path, generator: Path) -> None:
    network, card = load_generator(generator)
    assert network.config.labels == LABELS
    assert card.rare == ("happiness",)
    assert card.images == {"happiness": IMAGES, "neutral": IMAGES}
    assert card.license == "Trained on images whose terms only their owner knows."
    assert card.recipe["epochs"] == 1
    assert len(card.data_sha256) == 64
    assert card.origin["machine"]
    stated = json.loads((generator.parent / "study.json").read_text())
    assert stated["study"] == "gan train"
    assert not (generator.parent / "resume.pt").exists()


def test_a_cut_off_training_goes_on(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: list[Any] = [*on(tree), "--label", "happiness", *SMALL, "--checkpoint-minutes", 0]
    study("gan", "train", *options, "--out", tmp_path / "whole")
    take_step, taken = AdversarialTraining._take_step, []

    def cut(self: AdversarialTraining) -> None:
        taken.append(self.step)
        if len(taken) == 4:
            raise DcrnetError("the lights went out")
        take_step(self)

    monkeypatch.setattr(AdversarialTraining, "_take_step", cut)
    assert "the lights went out" in refused("gan", "train", *options, "--out", tmp_path / "cut")
    study("gan", "train", *options, "--out", tmp_path / "cut")
    assert taken == [0, 1, 2, 3, 3, 4]
    first, second = (
        load_generator(tmp_path / name / "generator.safetensors")[0].state_dict()
        for name in ("whole", "cut")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_samples(tree: Path, generator: Path, network: Path, tmp_path: Path) -> None:
    out = tmp_path / "samples"
    options = ["--model", network, "--faces", 24, "--shown", 3, "--out", out]
    found = study("gan", "sample", *asked(generator, tree), *options)
    quality = found["facts"]["quality"]["happiness"]
    assert quality["faces"] == IMAGES
    assert quality["generated"] > 3 * quality["real"] > 0  # a generator that knows nothing yet
    copies = found["facts"]["memorisation"]["happiness"]
    assert copies["faces"] == 24
    assert copies["is_copying"] is False
    pictures = read_pictures(out / "answers" / "generated.csv")
    grid = np.asarray(cv2.imread(str(out / "faces.png"), cv2.IMREAD_GRAYSCALE), np.uint8)
    assert np.array_equal(grid, sheet([np.stack([p.grey for p in pictures[:3]])]))
    neighbours = read_pictures(out / "answers" / "neighbours.csv")
    assert len(neighbours) == 3
    for each in neighbours:  # is the picture of that training face
        assert each.image.startswith("train/")  # no folder of whoever ran it
        bgr = cv2.imread(str(tree / each.image))
        assert np.array_equal(each.grey, grey_picture(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)))
    page = (out / "report.html").read_text()
    assert page.count("<figure>") == page.count('<figure class="data">') == 1
    assert str(tmp_path) not in (out / "answers" / "features.csv").read_text()
    table = (out / "table.md").read_text()
    tree.rename(tmp_path / "gone")
    generator.unlink()
    again = study("again", out)
    assert again["facts"] == found["facts"]
    assert (out / "table.md").read_text().split("command:")[0] == table.split("command:")[0]


def test_a_generator_that_copies_is_told(
    tree: Path,
    generator: Path,
    network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = sorted((tree / "train" / "Happy").iterdir())
    real = torch.stack([torch.from_numpy(cv2.imread(str(p), 0)) for p in paths])

    def copied(_generator: Generator, labels: Tensor, _seed: int) -> Tensor:
        return real[torch.arange(len(labels)) % len(real)]

    monkeypatch.setattr(drawing, "drawn", copied)
    options = ["--model", network, "--faces", 20, "--out", tmp_path / "samples"]
    found = study("gan", "sample", *asked(generator, tree), *options)
    copies = found["facts"]["memorisation"]["happiness"]
    assert copies["is_copying"] is True
    assert copies["near_copies"] == 20
    assert copies["closer"] == 20
    assert "WARNING" in found["verdict"][0]
    assert "<figure>" not in (tmp_path / "samples" / "report.html").read_text()


def never_happy(path: Path) -> None:
    """Let a checkpoint answer the second label, whatever it sees."""
    checkpoint = load_checkpoint(path)
    head = [each for each in checkpoint.network.modules() if isinstance(each, nn.Linear)][-1]
    with torch.no_grad():
        head.bias.copy_(torch.tensor([-50.0, 50.0]))
    save_checkpoint(path, checkpoint)


def test_effect(
    tree: Path,
    generator: Path,
    network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The student of generated faces is trained; the others' answers never name the rare label."""
    never_happy(network)
    shown: dict[str, tuple[int, int, bool]] = {}
    train = Run.train

    def watched(self: Run, *, resume: bool = False) -> Path:
        samples = self._data.samples("train")  # type: ignore[arg-type]
        happy = sum(sample.label == 0 for sample in samples)
        drawn = sum("generated-faces" in str(sample.path) for sample in samples)
        name = self.folder.name.removesuffix("--seed-0")
        shown[name] = happy, drawn, self._config.recipe.class_weights
        if name == "class-weights" and not resume and "failed" not in shown:
            shown["failed"] = (0, 0, False)
            raise DcrnetError("the lights went out")
        return train(self, resume=resume) if name == "generated" else network

    monkeypatch.setattr(Run, "train", watched)
    options: list[Any] = [*asked(generator, tree), "--faces", 6, "--epochs", 1]
    options += ["--batch-size", 25, "--from-scratch", "--out", tmp_path / "effect"]
    told = refused("gan", "effect", *options)
    assert "the lights went out" in told
    assert f"Test has {IMAGES} images of happiness: a gain of its recall below 38 points" in told
    found = study("gan", "effect", *options)
    assert shown == {
        "nothing": (IMAGES, 0, False),
        "oversampling": (IMAGES + 6, 0, False),
        "class-weights": (IMAGES, 0, True),
        "generated": (IMAGES + 6, 6, False),
        "failed": (0, 0, False),
    }
    assert {each["against"] for each in found["facts"]["effects"]} == set(shown) - {
        *("generated", "failed")
    }
    recalls = found["facts"]["recall"]["happiness"]
    for each in found["facts"]["effects"]:
        gap = recalls["generated"]["mean"] - recalls[each["against"]]["mean"]
        assert each["difference"] == pytest.approx(gap)
        assert recalls[each["against"]]["mean"] == 0
        assert each["smallest_detectable"] >= 0.375  # as told before, since no face is lost
    tree.rename(tmp_path / "gone")
    generator.unlink()
    assert study("again", tmp_path / "effect")["facts"] == found["facts"]


def test_what_cannot_be_trained_is_refused(tree: Path, tmp_path: Path) -> None:
    train = ["gan", "train", *on(tree)]
    assert "no label is rare (Train has happiness 22, neutral 22)" in refused(*train)
    assert "--label joy is none of the data set's" in refused(*train, "--label", "joy")
    told = refused(*train, "--label", "neutral", "--batch-size", 64)
    assert "44 images do not fill one batch of 64" in told
    few = write_folders(tmp_path / "few", 5, ("train", "valid", "test"))
    told = refused("gan", "train", *on(few), "--label", "neutral")
    assert "Train has 5 images of neutral, and a generator needs 20" in told


def test_what_cannot_be_judged_is_refused(
    tree: Path, generator: Path, network: Path, tmp_path: Path
) -> None:
    other = write_folders(tmp_path / "other", IMAGES, ("train", "valid", "test"))
    for kind in ("sample", "effect"):
        told = refused("gan", kind, *asked(generator, other))
        assert "may show people of this one's Test" in told
        told = refused("gan", kind, *asked(generator, tree), "--label", "neutral")
        assert "was not made for --label neutral: choose happiness" in told
        assert "is no generator" in refused("gan", kind, *asked(network, tree))
        missing = tmp_path / "none.safetensors"
        assert "does not exist" in refused("gan", kind, *asked(missing, tree))
    (tmp_path / "cut.safetensors").write_bytes(generator.read_bytes()[:2000])
    told = refused("gan", "sample", *asked(tmp_path / "cut.safetensors", tree))
    assert "no whole safetensors file" in told
    told = refused("gan", "sample", *asked(generator, tree), "--model", "model.onnx")
    assert "has no features to compare" in told
    told = refused("gan", "effect", *asked(generator, tree), "--size", 50)
    assert "50" in told
    told = refused("gan", "effect", *asked(generator, tree), "--train-images", 10)
    assert "alone have 22 Train images: give more --train-images" in told


def test_a_split_without_a_label_is_refused(tmp_path: Path, detector: FixedDetector) -> None:
    tree = write_folders(tmp_path / "tree", IMAGES, ("train", "valid", "test"))
    for path in (tree / "test" / "Happy").iterdir():
        path.unlink()
    (tree / "test" / "Happy").rmdir()
    out = tmp_path / "gan"
    study("gan", "train", *on(tree), "--label", "happiness", *SMALL, "--out", out)
    told = refused("gan", "effect", *asked(out / "generator.safetensors", tree))
    assert "the test split has 0 images of happiness" in told
