"""``weights/train.sh``: stages that are done are skipped, others begun or gone on with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dcrnet_edge import weights
from dcrnet_edge.presets import preset, read_toml
from dcrnet_edge.training.run_config import RunConfig

Script = Callable[..., tuple[int, list[str]]]

FOLDER = Path(weights.__file__).parent
STUB = """#!/bin/bash
echo "$(basename "$0") $*" >> "$CALLS"
while (($#)); do
  case $1 in
    --out) mkdir -p "$2"; [[ -n ${CUT:-} ]] && touch "$2/resume.ckpt" && exit 2
      touch "$2/model.safetensors"; shift ;;
    --json) touch "$2"; shift ;;
  esac
  shift
done
"""


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Runs the script with commands that only write down how they were called."""
    for name in ("dcrnet-train", "dcrnet-export", "dcrnet-eval"):
        (tmp_path / name).write_text(STUB)
        (tmp_path / name).chmod(0o755)

    def run(*stages: str, **variables: str) -> tuple[int, list[str]]:
        calls = tmp_path / "calls"
        calls.unlink(missing_ok=True)
        environment = {
            **{"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "CALLS": str(calls)},
            **{"FERPLUS": "fer", "FAIRFACE": "ff", "IMAGENET": "net", "OUT": str(tmp_path / "w")},
            **variables,
        }
        done = subprocess.run(
            ["bash", str(FOLDER / "train.sh"), *stages], env=environment, capture_output=True
        )
        return done.returncode, calls.read_text().splitlines() if calls.exists() else []

    return run


def test_all_stages_once_in_order(script: Script, tmp_path: Path) -> None:
    code, calls = script()
    assert code == 0
    assert [call.split()[0] for call in calls] == [
        *("dcrnet-train", "dcrnet-export"),
        *["dcrnet-train"] * 4,
        *["dcrnet-export"] * 2,
        *["dcrnet-eval"] * 2,
    ]
    assert "--teacher-size 128" in calls[0]
    calls = calls[2:]
    student = calls[2]
    assert f"--teacher {tmp_path}/w/teacher-a/model.safetensors" in student
    assert f"--teacher {tmp_path}/w/teacher-b/model.safetensors" in student
    assert "--unlabelled ff/train --exclude ff/val" in student
    assert "2021), CC BY 4.0." in student
    assert "--start-from" in calls[3]
    assert "--split valid" in calls[6]
    assert "--split test" in calls[7]
    assert script() == (0, [])


def test_a_stage_that_was_cut_off_is_gone_on_with(script: Script) -> None:
    code, calls = script("teacher-a", CUT="1")
    assert (code, "--resume" in calls[0]) == (2, False)
    code, calls = script("teacher-a", "teacher-b")
    assert code == 0
    assert ["--resume" in call for call in calls] == [True, False]


def test_an_export_that_fails_leaves_nothing_that_looks_done(
    script: Script, tmp_path: Path
) -> None:
    code, calls = script("export", CUT="1")
    assert (code, len(calls)) == (2, 1)
    assert not (tmp_path / "w" / "student-export").exists()
    code, calls = script("export")
    assert (code, len(calls)) == (0, 2)
    assert (tmp_path / "w" / "student-export").is_dir()


def test_an_unknown_stage(script: Script) -> None:
    assert script("teachers") == (2, [])


@pytest.mark.parametrize(
    ("name", "network", "size_px"),
    [
        ("fast", "tf_efficientnet_lite0", 112),
        ("teacher", "tf_efficientnet_lite2", 128),
        ("student", "tf_efficientnet_lite0", 128),
        ("dcrnet", "dcrnet", 128),
    ],
)
def test_recipes_are_whole(name: str, network: str, size_px: int) -> None:
    config = RunConfig.of(preset("ferplus"), read_toml(FOLDER / "recipes" / f"{name}.toml"))
    assert config.architecture == network
    assert config.preprocess.size_px == size_px
    assert config.recipe.augment.corrupt > 0
    assert config.recipe.soft_labels
