"""Targets from teachers, and unlabelled faces that they choose."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from edge.runs import face_data, open_fixed_detector
from generated import synthetic_frame
from generated_trees import write_folders
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_edge.cli import train as train_cli
from dcrnet_edge.data.crop_cache import Crops
from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.distillation import teachers as teachers_module
from dcrnet_edge.distillation.sources import Source
from dcrnet_edge.distillation.teachers import Teacher, TeacherAnswers, tempered
from dcrnet_edge.distillation.teaching import DistillationSpec, teach
from dcrnet_edge.distillation.unlabelled import UnlabelledFolder, chosen
from dcrnet_edge.evaluation.inference import predict
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_edge.models.registry import create_model
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec

LABELS = ("happiness", "neutral")


def write_teacher(
    path: Path, seed: int, size_px: int = 64, labels: tuple[str, ...] = LABELS
) -> Path:
    """EfficientNet-Lite0 whose answers are of some confidence."""
    torch.manual_seed(seed)
    network = create_model("tf_efficientnet_lite0", labels=labels)
    with torch.no_grad():
        network.get_parameter("classifier.weight").mul_(30)
    card = ModelCard(
        labels, PreprocessSpec(size_px=size_px, source_px=48), license=f"Terms {seed}."
    )
    save_checkpoint(path, Checkpoint(network, card))
    return path


@pytest.fixture
def data(tmp_path: Path) -> FaceData:
    tree = write_folders(tmp_path / "tree", 5, ("train", "valid", "test"))
    return face_data(tree, tmp_path / "caches")


@pytest.fixture
def teachers(tmp_path: Path) -> list[Teacher]:
    paths = [
        write_teacher(tmp_path / "a.safetensors", 1),
        write_teacher(tmp_path / "b.safetensors", 2, 96, LABELS[::-1]),
    ]
    return [Teacher.read(path, LABELS) for path in paths]


def write_pictures(folder: Path, count: int, seed: int = 100) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index}.png" for index in range(count)]
    for index, path in enumerate(paths):
        cv2.imwrite(str(path), synthetic_frame(72, 72, seed + index))
    return paths


def trained_on(teacher: Teacher, provenance: dict[str, Any]) -> Teacher:
    card = replace(teacher.checkpoint.card, provenance=provenance)
    return replace(teacher, checkpoint=replace(teacher.checkpoint, card=card))


@pytest.mark.parametrize(
    ("protocol", "digest", "is_told"),
    [
        ("official", "", False),
        ("official", "of other pixels", False),
        ("random fold 1 of 10, seed 0", "", True),
    ],
)
def test_a_teacher_of_another_split_is_told(
    data: FaceData, teachers: list[Teacher], protocol: str, digest: str, is_told: bool
) -> None:
    assert data.dataset.protocol == "official"
    trained = {
        "dataset": data.dataset.name,
        "protocol": protocol,
        "data_sha256": digest or data.dataset.digest,
    }
    for provenance in (trained, {"dataset": "other", "start": {"provenance": trained}}):
        leak = trained_on(teachers[0], provenance).leak(data.dataset)
        assert (leak is not None) is is_told
        if leak is not None:
            assert leak.startswith(
                f"teacher a.safetensors was trained on another split of {data.dataset.name}"
                " (random fold 1 of 10, seed 0; here official): it may have seen"
            )


def test_the_same_words_of_other_images_are_told_of_a_split_by_chance(
    data: FaceData, teachers: list[Teacher]
) -> None:
    chance = replace(data.dataset, protocol="random fold 0 of 10, seed 0")
    trained = {"dataset": chance.name, "protocol": chance.protocol, "data_sha256": chance.digest}
    assert trained_on(teachers[0], trained).leak(chance) is None
    trained["data_sha256"] = "of other images"
    assert trained_on(teachers[0], trained).leak(chance) is not None


@pytest.mark.parametrize("provenance", [{}, {"dataset": "other"}, {"start": 3}, {"start": {}}])
def test_a_teacher_of_other_or_unknown_data_is_none_that_leaks(
    data: FaceData, teachers: list[Teacher], provenance: dict[str, Any]
) -> None:
    assert trained_on(teachers[0], provenance).leak(data.dataset) is None


def test_temperature_divides_the_logits() -> None:
    logits = torch.randn(5, 7, generator=torch.manual_seed(0))
    rows = logits.softmax(dim=1).numpy()
    assert np.allclose(tempered(rows, 1.0), rows, atol=1e-6)
    for temperature in (0.5, 3.0):
        expected = (logits / temperature).softmax(dim=1).numpy()
        assert np.allclose(tempered(rows, temperature), expected, atol=1e-5)
    assert np.isfinite(tempered(np.array([[1.0, 0.0]], np.float32), 0.1)).all()


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_targets_are_the_mean_and_the_label(
    data: FaceData, teachers: list[Teacher], tmp_path: Path, temperature: float
) -> None:
    """Each teacher at its own side, with its labels put in the data's order."""
    spec = DistillationSpec(temperature, share=0.75)
    taught = teach(data, teachers, TeacherAnswers(tmp_path / "answers"), spec)
    said = []
    for teacher in teachers:
        card = teacher.checkpoint.card
        rows = predict(teacher.checkpoint.network, data.crops(Split.TRAIN, card.preprocess))
        said.append(tempered(rows, temperature))
    mean = (said[0] + said[1][:, ::-1]) / 2
    assert np.abs(said[0] - said[1]).max() > 0.01
    votes = np.array([sample.target for sample in data.samples(Split.TRAIN)])
    found = np.array([sample.target for sample in taught.data.samples(Split.TRAIN)])
    assert np.allclose(found, 0.75 * mean + 0.25 * votes, atol=1e-6)
    assert taught.data.samples(Split.VALID) == data.samples(Split.VALID)
    assert [s.label for s in taught.data.samples(Split.TRAIN)] == [
        s.label for s in data.samples(Split.TRAIN)
    ]
    assert taught.provenance["teachers"][1] == {
        "file": "b.safetensors",
        "sha256": teachers[1].sha256,
        "network": "tf_efficientnet_lite0",
        "size_px": teachers[1].checkpoint.card.preprocess.size_px,
    }
    assert (taught.provenance["temperature"], taught.provenance["share"]) == (temperature, 0.75)
    assert taught.sources == (
        Source("a.safetensors", "Terms 1."),
        Source("b.safetensors", "Terms 2."),
    )


def test_teachers_are_asked_once(
    data: FaceData,
    teachers: list[Teacher],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers, spec = TeacherAnswers(tmp_path / "answers"), DistillationSpec()
    first = teach(data, teachers, answers, spec).data.samples(Split.TRAIN)
    asked = []

    def counted(network: FaceNetwork, crops: Crops) -> NDArray[np.float32]:
        asked.append(network)
        return predict(network, crops)

    monkeypatch.setattr(teachers_module, "predict", counted)
    assert teach(data, teachers, answers, spec).data.samples(Split.TRAIN) == first
    assert asked == []
    damaged = sorted((tmp_path / "answers").glob("*.npz"))[0]
    damaged.write_bytes(damaged.read_bytes()[:200])
    assert teach(data, teachers, answers, spec).data.samples(Split.TRAIN) == first
    assert len(asked) == 1
    assert "is damaged" in caplog.text
    other = Teacher.read(write_teacher(tmp_path / "c.safetensors", 3), LABELS)
    teach(data, [other], answers, spec)
    assert len(asked) == 2


def test_a_teacher_of_other_labels(tmp_path: Path) -> None:
    path = write_teacher(tmp_path / "a.safetensors", 1, labels=("fear", "neutral"))
    with pytest.raises(DcrnetError, match=r"knows fear, neutral; the data set has happiness"):
        Teacher.read(path, LABELS)


def test_a_teacher_answers_at_another_side(tmp_path: Path) -> None:
    path = write_teacher(tmp_path / "a.safetensors", 1)
    teacher = Teacher.read(path, LABELS, 128)
    assert Teacher.read(path, LABELS).checkpoint.card.preprocess.size_px != 128
    assert teacher.provenance()["size_px"] == 128
    with pytest.raises(DcrnetError, match="100"):
        Teacher.read(path, LABELS, 100)


def test_the_sure_ones_are_chosen_and_balanced() -> None:
    confidences = np.array([0.9, 0.5, 0.8, 0.7, 0.95, 0.6], np.float32)
    labels = np.array([0, 0, 0, 0, 1, 1])
    kept, unsure = chosen(confidences, labels, floor=0.6, per_class=0, seed=0)
    assert (kept.tolist(), unsure) == ([0, 2, 3, 4, 5], 1)
    draws = set()
    for seed in range(20):
        kept, _ = chosen(confidences, labels, floor=0.6, per_class=2, seed=seed)
        assert kept.tolist()[2:] == [4, 5]
        draws.add(tuple(kept[:2].tolist()))
    assert draws == {(0, 2), (0, 3), (2, 3)}
    kept, unsure = chosen(confidences, labels, floor=0.99, per_class=2, seed=0)
    assert (kept.tolist(), unsure) == ([], 6)


def test_copies_of_what_is_judged_by_are_not_learned_from(
    data: FaceData, teachers: list[Teacher], tmp_path: Path
) -> None:
    folder = tmp_path / "more"
    paths = write_pictures(folder / "deep", 6)
    (excluded,) = write_pictures(tmp_path / "kept", 1, seed=900)
    judged = cv2.imread(str(data.samples(Split.TEST)[0].path))
    cv2.imwrite(str(folder / "exact.png"), judged)
    coded = [cv2.IMWRITE_JPEG_QUALITY, 85]
    cv2.imwrite(str(folder / "coded.jpg"), cv2.resize(judged, (96, 96)), coded)
    cv2.imwrite(
        str(folder / "excluded.jpg"), np.asarray(cv2.imread(str(excluded)), np.uint8) // 2, coded
    )
    cv2.imwrite(str(folder / "twice.png"), cv2.imread(str(paths[0])))
    (folder / "broken.png").write_bytes(b"none")
    (folder / "text.txt").write_text("no image")

    spec = DistillationSpec(confidence=0.0, per_class=0)
    where = UnlabelledFolder(folder, (tmp_path / "kept",), "CC BY 4.0")
    taught = teach(data, teachers, TeacherAnswers(tmp_path / "answers"), spec, where)
    assert taught.counts is not None
    assert (taught.counts.images, taught.counts.unreadable, taught.counts.copies) == (11, 1, 4)
    assert sum(taught.counts.kept.values()) == 6
    samples = taught.data.samples(Split.TRAIN)
    assert {sample.path.name for sample in samples[10:]} == {path.name for path in paths}
    assert len(samples) == 16 == len(taught.data.faces(Split.TRAIN))
    for sample in samples[10:]:
        assert sum(sample.target) == pytest.approx(1, abs=1e-5)
        assert sample.label == int(np.argmax(sample.target))
    assert taught.sources[-1] == Source("more", "CC BY 4.0")
    assert taught.provenance["unlabelled"]["copies"] == 4
    with pytest.raises(DcrnetError, match=r"less than 1.0 sure .* recipe.unlabelled_confidence"):
        teach(
            data,
            teachers,
            TeacherAnswers(tmp_path / "answers"),
            DistillationSpec(confidence=1.0),
            where,
        )
    with pytest.raises(DcrnetError, match=r"`exclude` .* does not exist"):
        teach(
            data,
            teachers,
            TeacherAnswers(tmp_path / "answers"),
            spec,
            UnlabelledFolder(folder, (tmp_path / "none",)),
        )


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: open_fixed_detector()
    )
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")


@pytest.mark.usefixtures("commands")
def test_a_student_by_its_command(tmp_path: Path) -> None:
    tree = write_folders(tmp_path / "tree", 4, ("train", "valid", "test"))
    write_pictures(tmp_path / "more", 5)
    paths = [write_teacher(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2)]
    arguments = ["--data", tree, "--dataset", "folders", "--from-scratch", "--size", 64]
    arguments += ["--network", "tf_efficientnet_lite0", "--batch-size", 4, "--epochs", 1]
    arguments += ["--out", tmp_path / "run", "--unlabelled", tmp_path / "more"]
    arguments += ["--unlabelled-license", "More faces, CC BY 4.0."]
    for path in paths:
        arguments += ["--teacher", path]
    for setting in (
        *("recipe.progressive=[]", "recipe.mixed_sizes=[]", "range_sizes=[]"),
        *("recipe.teacher_temperature=2", "recipe.teacher_share=0.5"),
        "recipe.unlabelled_confidence=0",
    ):
        arguments += ["--set", setting]
    result = CliRunner().invoke(train_cli.app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    assert "Teachers: 1.safetensors, 2.safetensors; temperature 2, share 0.5" in result.stderr
    assert "5 unlabelled images: 0 unreadable, 0 copies, 0 without a face" in result.stderr
    assert "confidence floor 0." in result.stderr

    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    card = load_checkpoint(tmp_path / "run" / "model.safetensors").card
    for told in (settings["distillation"], card.provenance["distillation"]):
        assert [each["file"] for each in told["teachers"]] == ["1.safetensors", "2.safetensors"]
        assert all(len(each["sha256"]) == 64 for each in told["teachers"])
        assert (told["temperature"], told["share"]) == (2.0, 0.5)
        assert sum(told["unlabelled"]["kept"].values()) == 5
    assert settings["images"]["train"] == 8 + 5

    others = [str(a) for a in arguments if a not in ("--teacher", paths[1])]
    others.insert(others.index(str(paths[0])), "--teacher")
    again = CliRunner().invoke(train_cli.app, [*others, "--resume"])
    assert again.exit_code == 2
    assert "holds a run with another distillation.teachers" in again.stderr


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--unlabelled", "more"], "name a --teacher"),
        (["--teacher-size", "128"], "--teacher-size is the teachers': name a --teacher"),
        (
            [*["--teacher", "a.safetensors"] * 3, *["--teacher-size", "128"] * 2],
            "--teacher-size stands there 2 times, --teacher 3 times",
        ),
        (["--teacher", "a.safetensors", "--exclude", "b"], "--exclude takes copies out of"),
        (["--teacher", "a.safetensors", "--all-folds"], "its own Test people"),
        (["--teacher", "none.safetensors"], "none.safetensors does not exist"),
        (["--set", "recipe.teacher_share=2"], "recipe.teacher_share is 2.0: give a value from"),
    ],
)
def test_options_that_do_not_go_together(
    options: list[str], expected: str, tmp_path: Path
) -> None:
    tree = write_folders(tmp_path / "tree", 4, ("train", "valid", "test"))
    arguments = ["--data", str(tree), "--dataset", "folders", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(train_cli.app, [*arguments, *options])
    assert result.exit_code == 2
    assert expected in result.stderr
