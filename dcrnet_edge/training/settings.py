"""What a run was trained with, beside its weights: written once, compared when it is resumed."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from dcrnet_edge.datasets.sample import FaceDataset
from dcrnet_edge.distillation.teaching import Taught
from dcrnet_edge.training.hardware import machine
from dcrnet_edge.training.run_config import RunConfig
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

SETTINGS_NAME = "settings.json"
CONFIG_NAME = "config.toml"
_MAY_CHANGE = ("versions", "start", "machine", "command")
_PACKAGES = ("dcrnet-edge", "torch", "lightning", "numpy", "opencv-python-headless")

Settings = dict[str, Any]
"""JSON values: the data's hash and counts, the resolved configuration, devices and versions."""


def settings_of(
    dataset: FaceDataset,
    config: RunConfig,
    landmarks_sha256: str,
    processes: int,
    taught: Taught | None = None,
    command: str = "",
) -> Settings:
    """What decides a run's result, but for its first weights (``start``)."""
    return {
        "dataset": dataset.name,
        "protocol": dataset.protocol,
        "images": {split.value: len(s) for split, s in dataset.splits.items()},
        "repeats_dropped": dataset.repeats,
        "unreadable": dataset.unreadable,
        "data_sha256": dataset.digest,
        "landmarks_sha256": landmarks_sha256,
        "config": config.to_values(),
        "distillation": None if taught is None else taught.provenance,
        "devices": processes,
        "machine": machine(),
        "command": command,
        "versions": {
            **{name: metadata.version(name) for name in _PACKAGES},
            "python": platform.python_version(),
        },
    }


def write_settings(folder: Path, settings: Settings, config: RunConfig) -> None:
    """Write ``settings.json``, and ``config.toml`` for ``--config``."""
    with written_beside(folder / SETTINGS_NAME) as beside:
        beside.write_text(json.dumps(settings, indent=2))
    with written_beside(folder / CONFIG_NAME) as beside:
        beside.write_text(config.to_toml())


def stored_settings(folder: Path) -> Settings:
    """What the run in ``folder`` says it was started with.

    Raises:
        DcrnetError: they cannot be read.
    """
    path = folder / SETTINGS_NAME
    try:
        found: Settings = json.loads(path.read_text())
        for table in (found, found["config"], found["start"]):
            if not isinstance(table, dict):
                raise ValueError("a table is none")
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise DcrnetError(
            f"{path} cannot be read, so it is unknown what {folder} was trained with: name another"
            " run folder with `out`"
        ) from error
    return found


def read_settings(folder: Path, expected: Settings) -> Settings:
    """What the run in ``folder`` was started with.

    Raises:
        DcrnetError: naming the first of its settings that is not as ``expected``; or they cannot
            be read.
    """
    before = stored_settings(folder)
    # Of an older version: what it did not know yet was as by default now.
    before["config"] = RunConfig.of(before["config"]).to_values()
    for key, value in expected.items():
        if key not in _MAY_CHANGE and before.get(key) != _plain(value):
            name, old, new = _first_difference(key, before.get(key), value)
            raise DcrnetError(
                f"{folder} holds a run with another {name} ({old}, now {new}): give the same"
                " options to go on with it, or name another folder with `out`"
            )
    return before


def _first_difference(name: str, before: Any, now: Any) -> tuple[str, Any, Any]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key, value in now.items():
            if before.get(key) != _plain(value):
                return _first_difference(f"{name}.{key}", before.get(key), value)
    return name, before, now


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    return json.loads(json.dumps(value))
