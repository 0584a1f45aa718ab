"""``dcrnet-train`` and ``dcrnet-eval``: one clear line for what is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from edge.runs import open_fixed_detector
from generated_trees import write_affectnet, write_affectnet_tables, write_ckplus, write_kdef
from typer.testing import CliRunner

from dcrnet_edge.cli import eval as eval_cli
from dcrnet_edge.cli import train as train_cli
from dcrnet_edge.datasets import registry
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.models.dcrnet import DCRNetConfig
from dcrnet_edge.presets import preset, preset_names, read_toml
from dcrnet_edge.training.recipe import Keep, Optimiser, Schedule
from dcrnet_edge.training.run_config import RunConfig, nested, parse_assignment
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--data", "none"], "data set folder none does not exist"),
        (["--dataset", "imagenet"], "--dataset imagenet is unknown: choose ferplus, fer2013"),
        (
            ["--preset", "best"],
            "--preset best is unknown: choose affectnet, ckplus, ckplus-finetune",
        ),
        (["--size", "96"], "size 96 is not one of 64, 128, 192, 224"),
        (["--size", "100"], "would drop; choose the nearest, 128"),
        (["--protocol", "mine"], "setting split.kind: Input should be 'official', 'paper'"),
        (["--set", "epochs"], "--set epochs: write NAME=VALUE"),
        (["--set", "recipe.epoch=3"], "recipe.epoch is unknown: did you mean recipe.epochs?"),
        (["--set", "recipe=3"], "setting recipe is a table"),
        (["--set", "recipe.ema_decay=2"], "recipe.ema_decay is 2.0: give a value from 0.0 to"),
        (["--set", "recipe.class_weights=true"], "both make up for rare classes"),
        (
            ["--epochs", "2", "--set", "recipe.progressive=[[64, 2]]"],
            "recipe.progressive takes all 2 epochs",
        ),
        (["--config", "none.toml"], "settings file none.toml cannot be read"),
        (
            ["--from-scratch", "--start-from", "x.safetensors"],
            "--start-from, --backbone-weights and --from-scratch exclude each other",
        ),
    ],
)
def test_bad_training_arguments(arguments: list[str], expected: str) -> None:
    named = [] if "--data" in arguments else ["--data", "."]
    result = CliRunner().invoke(train_cli.app, [*arguments, *named])
    assert result.exit_code == 2
    assert expected in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("module", ["torch", "lightning", "safetensors", "sklearn", "matplotlib"])
def test_a_missing_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for app in (train_cli.app, eval_cli.app):
        result = CliRunner().invoke(app, ["--data", "."])
        assert result.exit_code == 2
        assert f"{module} is not installed: {extra_command('train')}" in result.stderr


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_whole_and_come_back_from_their_own_file(name: str, tmp_path: Path) -> None:
    config = RunConfig.of(preset(name))
    (tmp_path / "config.toml").write_text(config.to_toml())
    assert RunConfig.of(read_toml(tmp_path / "config.toml")) == config
    assert config.preprocess.size_px == (128 if name == "ckplus-finetune" else 224)


@pytest.mark.parametrize("name", ["affectnet", "ckplus", "kdef"])
def test_presets_of_the_paper_follow_table_2(name: str) -> None:
    recipe = RunConfig.of(preset(name)).recipe
    assert (recipe.optimiser, recipe.learning_rate) == (Optimiser.ADAM, 1e-4)
    assert (recipe.schedule, recipe.plateau_factor, recipe.plateau_patience) == (
        Schedule.PLATEAU,
        0.5,
        3,
    )
    assert (recipe.batch_size, recipe.dense_l2, recipe.dropout_scale) == (32, 1e-3, 1.0)
    assert recipe.keep is Keep.BEST
    is_affectnet = name == "affectnet"
    assert recipe.epochs == (50 if is_affectnet else 200)
    assert recipe.early_stop_patience == (10 if is_affectnet else 50)


@pytest.mark.parametrize(
    ("dataset", "write", "options"),
    [
        ("affectnet", write_affectnet, ()),
        ("affectnet", write_affectnet_tables, ()),
        ("ckplus", write_ckplus, ("--set", "split.folds=3")),
        ("kdef", write_kdef, ("--set", "split.folds=4")),
    ],
)
def test_the_papers_presets_train_by_their_command(
    dataset: str,
    write: Callable[[Path], Path],
    options: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything but size, length and first weights as the preset has it."""
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: open_fixed_detector()
    )
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")
    arguments = ["--data", write(tmp_path / "tree"), "--dataset", dataset, "--from-scratch"]
    arguments += ["--size", 64, "--epochs", 1, "--batch-size", 8, "--out", tmp_path / "run"]
    result = CliRunner().invoke(train_cli.app, [*map(str, arguments), *options])
    assert result.exit_code == 0, result.output
    checkpoint = load_checkpoint(tmp_path / "run" / "model.safetensors")
    assert checkpoint.card.provenance["dataset"] == dataset
    assert len(checkpoint.card.labels) == 7
    assert checkpoint.card.provenance["box_only_share"] == 0.0
    judged = ["--data", tmp_path / "tree", "--dataset", dataset, "--json", tmp_path / "f.json"]
    judged += ["--folds", 3] if dataset == "ckplus" else ["--folds", 4]
    paths = [tmp_path / "run" / "model.safetensors", *judged]
    for is_box_only in (False, True):
        flags = ["--box-only"] * is_box_only
        result = CliRunner().invoke(eval_cli.app, [*map(str, paths), *flags])
        assert result.exit_code == 0, result.output
        written = json.loads((tmp_path / "f.json").read_text())
        (found,) = written["models"].values()
        assert found["box_only_share"] == float(is_box_only)
        assert written["box_only"] is is_box_only
        assert len(written["data_sha256"]) == 64


def test_later_settings_win() -> None:
    layers = [
        preset("ferplus"),
        parse_assignment("recipe.augment.flip=0.25"),
        parse_assignment("network.attention=se"),
        nested("recipe.seed", 7),
    ]
    config = RunConfig.of(*layers)
    assert (config.recipe.augment.flip, config.recipe.seed) == (0.25, 7)
    network = config.network_config(("a", "b"))
    assert isinstance(network, DCRNetConfig)
    assert network.attention == "se"
    with pytest.raises(DcrnetError, match="setting network: Input should be 'cbam', 'se'"):
        RunConfig.of(parse_assignment("network.attention=vit"))


def test_old_names_of_settings_are_taken_with_a_notice(tmp_path: Path) -> None:
    config = tmp_path / "older.toml"
    config.write_text("[recipe]\nleast_scale = 0.25\n")
    arguments = ["--data", "none", "--config", str(config), "--set", "recipe.balance=0.4"]
    result = CliRunner().invoke(train_cli.app, arguments)
    gone = "the old name goes in the release after this one"
    assert result.stderr.splitlines() == [
        f"setting recipe.least_scale is now recipe.min_bn_gamma; {gone}",
        f"setting recipe.balance is now recipe.oversampling_power; {gone}",
        "Reading none.",
        "error: data set folder none does not exist: unpack the data set there",
    ]
    recipe = train_cli.run_settings(None, config, ["recipe.balance=0.4"], {}).recipe
    assert (recipe.min_bn_gamma, recipe.oversampling_power) == (0.25, 0.4)


def test_every_data_set_has_a_preset() -> None:
    named = {registry.adapter(name).preset for name in registry.names()}
    assert named == set(preset_names()) - {"ckplus-finetune"}
