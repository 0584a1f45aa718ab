"""``dcrnet-train``: a data set to a checkpoint."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dcrnet_edge.cli.extra import train_extra
from dcrnet_edge.cli.face_data import open_data
from dcrnet_edge.cli.train_options import (
    HardwareOptions,
    InitializationOptions,
    RunOptions,
    SettingOptions,
)
from dcrnet_runtime.cli.console import command_app, note, reported
from dcrnet_runtime.cli.option_groups import CommonOptions, with_groups
from dcrnet_runtime.deprecation import renamed

if TYPE_CHECKING:
    from collections.abc import Callable

    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.training.hardware import Hardware
    from dcrnet_edge.training.initialization import Initialization
    from dcrnet_edge.training.run_config import RunConfig

app = command_app()


def train(
    run: RunOptions,
    asked: SettingOptions,
    first: InitializationOptions,
    carried_out: HardwareOptions,
    _: CommonOptions,
) -> None:
    """Train a network and write model.safetensors into the run folder.

    Settings come from the preset, then --config, then --set and the options; without
    --start-from, --backbone-weights or --from-scratch the backbone starts from ImageNet weights,
    which are downloaded once.
    """
    train_extra()
    _quiet_lightning()
    # A run's own config.toml has the names of its day: resuming it needs no notice.
    settings = run_settings(
        asked.preset, asked.config, asked.set_ or [], asked.named(), notice=not run.resume
    )
    initialization, hardware = first.initialization(), carried_out.hardware()
    landmarks, workers = carried_out.landmarks, carried_out.workers
    read = functools.partial(_read, settings.dataset, run.data, landmarks, workers)
    if asked.all_folds:
        _train_folds(read, settings, initialization, run, hardware)
    else:
        _train_once(read, settings, initialization, run, hardware)


app.command()(
    reported(assignment="--set", folds="--set split.folds")(
        with_groups(
            train,
            RunOptions,
            SettingOptions,
            InitializationOptions,
            HardwareOptions,
            CommonOptions,
        )
    )
)


def _quiet_lightning() -> None:
    import logging

    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _read(
    dataset: str, root: Path, landmarks: Path | None, workers: int, plan: SplitPlan
) -> FaceData:
    return open_data(dataset, root, plan, landmarks, workers)


def _train_folds(
    read: Callable[[SplitPlan], FaceData],
    settings: RunConfig,
    initialization: Initialization,
    run: RunOptions,
    hardware: Hardware,
) -> None:
    from dcrnet_edge.datasets.registry import adapter
    from dcrnet_edge.training.cross_validation import cross_validate

    path = cross_validate(
        read,
        settings,
        initialization,
        run.out,
        run.data,
        license=adapter(settings.dataset).license,
        hardware=hardware,
    )
    note(f"Wrote {path}. Next: dcrnet-eval {path}")


def _train_once(
    read: Callable[[SplitPlan], FaceData],
    settings: RunConfig,
    initialization: Initialization,
    asked: RunOptions,
    hardware: Hardware,
) -> None:
    from lightning.pytorch.utilities import rank_zero_only

    from dcrnet_edge.datasets.registry import adapter
    from dcrnet_edge.training.run import Run

    license = adapter(settings.dataset).license
    faces = read(settings.split)
    run = Run(faces, settings, initialization, asked.out, license=license, hardware=hardware)
    path = run.train(resume=asked.resume)
    rank_zero_only(note)(
        f"Wrote {path}. Next: dcrnet-eval {path} --data {asked.data}; dcrnet-export {path} --int8"
    )


def run_settings(
    preset: str | None,
    config: Path | None,
    assignments: list[str],
    named: dict[str, Any],
    *,
    notice: bool = True,
) -> RunConfig:
    """Preset, file, assignments and named options, later ones over earlier ones.

    Args:
        preset: name; None takes the data set's.
        config: TOML file.
        assignments: such as ``recipe.ema_decay=0.998``.
        named: settings that have options of their own, by path; None where not given.
        notice: tell the new names of settings that are given by their old ones.

    Raises:
        DcrnetError: an unknown name or a bad value.
    """
    from dcrnet_edge import presets
    from dcrnet_edge.datasets.registry import adapter
    from dcrnet_edge.training.run_config import RunConfig, nested, old_names, parse_assignment

    layers = [] if config is None else [presets.read_toml(config)]
    layers += [parse_assignment(text) for text in assignments]
    for layer in layers if notice else ():
        for old, new in old_names(layer):
            note(renamed(f"setting {old}", new))
    layers += [nested(name, value) for name, value in named.items() if value is not None]
    if preset is None:
        kinds = [layer["dataset"] for layer in layers if "dataset" in layer]
        preset = adapter(str(kinds[-1]) if kinds else "ferplus").preset
    return RunConfig.of(presets.preset(preset), *layers)


if __name__ == "__main__":
    app()
