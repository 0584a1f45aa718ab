"""``dcrnet-train``: a data set to a checkpoint."""

from __future__ import annotations

import functools
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dcrnet_edge.cli.command_line import command_line
from dcrnet_edge.cli.extra import train_extra
from dcrnet_edge.cli.resumed_command import ResumedCommand
from dcrnet_edge.cli.train_options import (
    HardwareOptions,
    InitializationOptions,
    RunOptions,
    SettingOptions,
    TeacherOptions,
)
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import note, reported
from dcrnet_runtime.cli.option_groups import CommonOptions, with_groups
from dcrnet_runtime.deprecation import renamed

if TYPE_CHECKING:
    from collections.abc import Callable

    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.training.hardware import Hardware
    from dcrnet_edge.training.initialization import Initialization
    from dcrnet_edge.training.run_config import RunConfig

app = command_app(is_installed=True)


def train(
    run: RunOptions,
    asked: SettingOptions,
    first: InitializationOptions,
    teachers: TeacherOptions,
    carried_out: HardwareOptions,
    _: CommonOptions,
) -> None:
    """Train a network and write model.safetensors into the run folder.

    Settings come from the preset, then --config, then --set and the options; without
    --start-from, --backbone-weights or --from-scratch the backbone starts from ImageNet weights,
    which are downloaded once.

    SIGINT (Ctrl-C) and SIGTERM end a run behind its step, with a resume point; exit codes 130 and
    143.
    """
    train_extra()
    quiet_lightning()
    from dcrnet_edge.training.failures import told_by_signal
    from dcrnet_edge.training.interruption import stoppable

    with told_by_signal(run.out), stoppable():
        _train(run, asked, first, teachers, carried_out)


def _train(
    run: RunOptions,
    asked: SettingOptions,
    first: InitializationOptions,
    teachers: TeacherOptions,
    carried_out: HardwareOptions,
) -> None:
    from dcrnet_edge.cli.data_contents import print_contents
    from dcrnet_edge.cli.resumption import check_initialization, keep_options, settings_of_run

    initialization, hardware = first.initialization(), carried_out.hardware()
    if run.resume and not asked.all_folds:
        settings = settings_of_run(run.out, asked)
        check_initialization(run.out, first)
    else:
        settings = run_settings(asked.preset, asked.config, asked.set_ or [], asked.named())
        if not run.check_data:
            keep_options(run, asked.preset, first, teachers, carried_out)
    read = functools.partial(carried_out.read, settings.dataset, run.data)
    if run.check_data:
        print_contents(read(settings.split))
        return
    teachers.check(all_folds=asked.all_folds)
    if asked.all_folds:
        _train_folds(read, settings, initialization, run, hardware)
    else:
        _train_once(read, settings, initialization, teachers, run, hardware)


app.command(cls=ResumedCommand)(
    reported(assignment="--set", folds="--set split.folds")(
        with_groups(
            train,
            RunOptions,
            SettingOptions,
            InitializationOptions,
            TeacherOptions,
            HardwareOptions,
            CommonOptions,
        )
    )
)


def quiet_lightning() -> None:
    """Let Lightning tell warnings alone."""
    import logging

    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)


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
        command=command_line(sys.argv),
    )
    note(f"Wrote {path}. Next: dcrnet-eval {shlex.quote(str(path))}")


def _train_once(
    read: Callable[[SplitPlan], FaceData],
    settings: RunConfig,
    initialization: Initialization,
    teachers: TeacherOptions,
    asked: RunOptions,
    hardware: Hardware,
) -> None:
    from lightning.pytorch.utilities import rank_zero_only

    from dcrnet_edge.datasets.registry import adapter
    from dcrnet_edge.training.run import Run

    license = adapter(settings.dataset).license
    faces = teachers.teach(read(settings.split), settings.recipe.distilling())
    run = Run(
        faces,
        settings,
        initialization,
        asked.out,
        license=license,
        hardware=hardware,
        command=command_line(sys.argv),
    )
    path = run.train(resume=asked.resume)
    say = rank_zero_only(note)
    say(_speed(asked.out))
    checkpoint, judged = shlex.quote(str(path)), " ".join(_data_words(asked.data, settings))
    say(
        f"Wrote {path}. Next: dcrnet-eval {checkpoint} {judged}; dcrnet-export {checkpoint} --int8"
    )


def _data_words(root: Path, settings: RunConfig) -> list[str]:
    """The options by which ``dcrnet-eval`` finds the same Test split."""
    from dcrnet_edge.datasets.splits import SplitPlan

    plan, usual = settings.split, SplitPlan()
    words = ["--data", shlex.quote(str(root)), "--dataset", settings.dataset]
    if plan.kind is not None:
        words += ["--protocol", plan.kind.value]
    for option, value, default in (
        ("--fold", plan.fold, usual.fold),
        ("--folds", plan.folds, usual.folds),
        ("--split-seed", plan.seed, usual.seed),
    ):
        words += [option, str(value)] if value != default else []
    return words


_GPU_IMAGES_PER_S = 2700
"""What a GPU trains DCRNet at with 128 px."""


def _speed(folder: Path) -> str:
    """What a run says of its data's speed."""
    import json

    from dcrnet_edge.training.settings import SETTINGS_NAME

    settings = json.loads((folder / SETTINGS_NAME).read_text())
    a_core = settings["loader_images_per_s_a_core"]
    cores = -(-_GPU_IMAGES_PER_S // max(1, int(a_core)))
    rate, bare = settings["images_per_s"], settings.get("bare_images_per_s")
    share = (
        ""
        if bare is None
        else f", {rate / bare:.0%} of the {bare:.0f} of a synthetic batch that lies on the GPU"
    )
    return (
        f"Data wait {settings['data_wait_percent']:.1f} % of training's time, at"
        f" {rate:.0f} images a second{share}. A core loads {a_core:.0f} a second:"
        f" {_GPU_IMAGES_PER_S}, as a GPU takes, need {cores} (--workers)."
    )


def run_settings(
    preset: str | None,
    config: Path | None,
    assignments: list[str],
    named: dict[str, Any],
) -> RunConfig:
    """Preset, file, assignments and named options, later ones over earlier ones.

    Args:
        preset: name; None takes the data set's.
        config: TOML file.
        assignments: such as ``recipe.ema_decay=0.998``.
        named: settings that have options of their own, by path; None where not given.

    Raises:
        DcrnetError: an unknown name or a bad value.
    """
    from dcrnet_edge import presets
    from dcrnet_edge.datasets.registry import adapter
    from dcrnet_edge.training.run_config import (
        RunConfig,
        fitted,
        laid_over,
        nested,
        old_names,
        parse_assignment,
    )

    layers = [] if config is None else [presets.read_toml(config)]
    layers += [parse_assignment(text) for text in assignments]
    for layer in layers:
        for old, new in old_names(layer):
            note(renamed(f"setting {old}", new))
    layers += [nested(name, value) for name, value in named.items() if value is not None]
    if preset is None:
        kinds = [layer["dataset"] for layer in layers if "dataset" in layer]
        preset = adapter(str(kinds[-1]) if kinds else "ferplus").preset
    # What the command line says is one layer, whichever option says it.
    said: dict[str, Any] = {}
    for layer in layers[config is not None :]:
        said = laid_over(said, layer)
    asked = [presets.preset(preset), *layers[: config is not None], said]
    settled = fitted(asked)
    if len(settled) > len(asked):
        sizes = settled[-1]["recipe"]["progressive"]
        note(f"Sizes grow over fewer epochs: recipe.progressive is {sizes}.")
    return RunConfig.of(*settled)


if __name__ == "__main__":
    app()
