"""``dcrnet-train --resume``: what the run was started with, and what contradicts it."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge.runs import open_fixed_detector
from generated_trees import write_folders
from typer.testing import CliRunner, Result

from dcrnet_edge.cli import eval as eval_cli
from dcrnet_edge.cli import train as train_cli
from dcrnet_edge.cli.resumption import settings_of_run
from dcrnet_edge.cli.train_options import SettingOptions
from dcrnet_edge.presets import preset, read_toml
from dcrnet_edge.training.run_config import (
    RunConfig,
    contradiction,
    fitted,
    nested,
    parse_assignment,
)
from dcrnet_edge.training.settings import read_settings
from dcrnet_runtime.errors import DcrnetError


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished run of one epoch, by nothing but options that people give."""
    folder = tmp_path_factory.mktemp("resume") / "a place"
    tree = write_folders(folder / "tree", 8, ("train", "valid", "test"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "dcrnet_runtime.detectors.detector.open_detector",
            lambda *_, **__: open_fixed_detector(),
        )
        patch.setattr("dcrnet_runtime.cache.cache_folder", lambda: folder / "cache")
        given = ["--data", tree, "--dataset", "folders", "--from-scratch", "--size", 64]
        given += ["--epochs", 1, "--set", "recipe.mixed_sizes=[]", "--batch-size", 8]
        result = train(*given, "--out", folder / "run", "--checkpoint-minutes", 5)
        assert result.exit_code == 0, result.output
        (folder / "told").write_text(result.stderr)
        yield folder


def train(*arguments: object) -> Result:
    return CliRunner().invoke(train_cli.app, [str(argument) for argument in arguments])


def test_one_epoch_works_with_the_preset_that_grows_sizes(place: Path) -> None:
    told = (place / "told").read_text()
    assert "Sizes grow over fewer epochs: recipe.progressive is []." in told
    config = json.loads((place / "run" / "settings.json").read_text())["config"]
    assert (config["recipe"]["epochs"], config["recipe"]["progressive"]) == (1, [])


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"config": 3, "start": {}}', '{"config": {}, "start": []}', "[" * 100_000],
    ids=["empty", "list", "nothing", "no table", "no start", "nested"],
)
def test_a_run_whose_settings_are_damaged_is_not_gone_on_with(text: str, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(text)
    for read in (
        lambda: settings_of_run(tmp_path, SettingOptions()),
        lambda: read_settings(tmp_path, {"seed": 1}),
    ):
        with pytest.raises(DcrnetError, match=r"settings\.json cannot be read, so it is unknown"):
            read()


def test_settings_that_are_nested_without_an_end_are_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "deep.toml"
    path.write_text("a = " + "[" * 5000)
    with pytest.raises(DcrnetError, match=r"deep\.toml is no TOML"):
        read_toml(path)
    assert parse_assignment("a=" + "[" * 5000) == {"a": "[" * 5000}


def test_what_is_told_to_do_next_works_as_printed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (line,) = [each for each in (place / "told").read_text().splitlines() if "Next: " in each]
    evaluation, _ = line.partition("Next: ")[2].split("; ")
    program, *words = shlex.split(evaluation)
    assert program == "dcrnet-eval"
    result = CliRunner().invoke(eval_cli.app, words)
    assert result.exit_code == 0, result.output


def test_resume_alone_goes_on_by_the_runs_own_options(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # paths were kept whole
    before = (place / "run" / "settings.json").read_text()
    result = train("--resume", "--out", place / "run")
    assert result.exit_code == 0, result.output
    kept = tomllib.loads((place / "run" / "options.toml").read_text())
    assert kept == {
        "data": str(place / "tree"),
        "from-scratch": True,
        "checkpoint-minutes": 5.0,
    }
    old, new = json.loads(before), json.loads((place / "run" / "settings.json").read_text())
    assert new["config"] == old["config"]
    assert new["start"] == old["start"]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (["--epochs", 1], ""),
        (["--size", 64, "--dataset", "folders", "--set", "recipe.batch_size=8"], ""),
        (["--epochs", 2], "--epochs 2 asks for recipe.epochs = 2, and the run in"),
        (["--size", 128], "--size 128 asks for preprocess.size_px = 128"),
        (["--dataset", "ferplus"], "--dataset ferplus asks for dataset = ferplus"),
        (["--network", "tf_efficientnet_lite0"], "--network tf_efficientnet_lite0 asks for arch"),
        (["--set", "recipe.ema_decay=0.5"], "--set recipe.ema_decay=0.5 asks for recipe.ema_de"),
        (["--set", "recipe.epoch=5"], "setting recipe.epoch is unknown"),
        (["--backbone-weights", "x"], "the first weights x do not exist"),
    ],
)
def test_what_contradicts_the_run_is_refused_by_name(
    option: list[object], expected: str, place: Path
) -> None:
    result = train("--resume", "--out", place / "run", *option)
    assert (result.exit_code == 2) == bool(expected), result.output
    assert expected in result.stderr
    assert "Traceback" not in result.output


def test_other_first_weights_are_refused(place: Path, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"other")
    options = ["--start-from", tmp_path / "x.safetensors"]
    result = train("--resume", "--out", place / "run", *options)
    assert "had the kind scratch, not checkpoint: leave --start-from" in result.stderr


def test_a_setting_of_a_file_is_compared(place: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text("[recipe]\nepochs = 9\n")
    result = train("--resume", "--out", place / "run", "--config", path)
    assert result.exit_code == 2
    assert f"--config {path} asks for recipe.epochs = 9, and the run in" in result.stderr


def test_there_may_be_no_run(tmp_path: Path) -> None:
    result = train("--resume", "--out", tmp_path, "--data", tmp_path)
    assert f"error: {tmp_path} holds no run to resume: leave --resume out" in result.stderr
    result = train("--resume", "--out", tmp_path)  # of before options were kept
    assert "missing option '--data'; " in result.stderr


def test_a_new_run_in_its_place_does_not_change_what_is_kept(place: Path, tmp_path: Path) -> None:
    before = (place / "run" / "options.toml").read_text()
    tree = write_folders(tmp_path / "tree", 8, ("train", "valid", "test"))
    given = ["--data", tree, "--dataset", "folders", "--from-scratch", "--size", 64]
    result = train(*given, "--epochs", 1, "--batch-size", 8, "--out", place / "run")
    assert "holds a run: --resume goes on with it" in result.stderr
    assert (place / "run" / "options.toml").read_text() == before


@pytest.mark.parametrize(
    ("epochs", "progressive"),
    [(1, []), (2, [[64, 1]]), (16, [[64, 10], [128, 4]]), (28, [[64, 17], [128, 7]])],
)
def test_sizes_grow_over_fewer_epochs(epochs: int, progressive: list[list[int]]) -> None:
    settled = fitted([preset("ferplus"), nested("recipe.epochs", epochs)])
    config = RunConfig.of(*settled)
    assert config.to_values()["recipe"]["progressive"] == progressive
    assert config.recipe.epochs == epochs


@pytest.mark.parametrize(
    "layers",
    [
        [nested("recipe.epochs", 29)],  # they fit
        [nested("recipe.seed", 1)],
        [nested("recipe.epochs", 3), nested("recipe.progressive", [[64, 3]])],  # asked for so
        [nested("recipe.epochs", "many")],
    ],
)
def test_settings_that_say_so_themselves_stay(layers: list[dict[str, object]]) -> None:
    assert fitted([preset("ferplus"), *layers]) == [preset("ferplus"), *layers]


def test_a_value_in_another_writing_contradicts_nothing() -> None:
    config = RunConfig.of(preset("ferplus"))
    assert contradiction(config, nested("recipe.learning_rate", 0.002)) is None
    assert contradiction(config, nested("recipe.learning_rate", "2e-3")) is None
    assert contradiction(config, {"recipe": {"balance": 0.15}}) is None  # by its old name
    found = contradiction(config, nested("recipe.seed", 3))
    assert found == ("recipe.seed", 0, 3)
    with pytest.raises(DcrnetError, match=r"recipe\.sed is unknown"):
        contradiction(config, nested("recipe.sed", 3))
