"""What a run was started with, so that ``--resume`` alone goes on with it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
from lightning.pytorch.utilities import rank_zero_only

from dcrnet_edge import presets
from dcrnet_edge.cli.resumed_command import OPTIONS_NAME
from dcrnet_edge.training.callbacks.resume_point import RESUME_NAME
from dcrnet_edge.training.run_config import (
    RunConfig,
    contradiction,
    nested,
    parse_assignment,
)
from dcrnet_edge.training.settings import SETTINGS_NAME, stored_settings
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

if TYPE_CHECKING:
    from dcrnet_edge.cli.train_options import (
        HardwareOptions,
        InitializationOptions,
        RunOptions,
        SettingOptions,
        TeacherOptions,
    )


def keep_options(
    run: RunOptions,
    preset: str | None,
    *groups: InitializationOptions | TeacherOptions | HardwareOptions,
) -> None:
    """Write what a new run's command was given, but its settings, into the run's folder.

    Paths are written whole, so that the run can be gone on with from elsewhere. A folder that
    holds a run already keeps what is there: the run itself refuses it.
    """
    if (run.out / RESUME_NAME).exists():
        return
    values: dict[str, Any] = {"data": str(run.data.absolute())}
    if preset is not None:
        values["preset"] = preset
    for group in groups:
        for field in fields(group):
            value = getattr(group, field.name)
            if value is not None and value != field.default and field.default is not MISSING:
                values[field.name.replace("_", "-")] = _plain(value)
    _write(run.out / OPTIONS_NAME, values)


def settings_of_run(folder: Path, asked: SettingOptions) -> RunConfig:
    """The settings of the run in a folder.

    Raises:
        DcrnetError: there is no run, or an option asks for another setting than it has.
    """
    config = RunConfig.of(_settings(folder)["config"])
    for option, layer in _layers(asked):
        if (found := contradiction(config, layer)) is not None:
            name, had, wanted = found
            raise DcrnetError(
                f"{option} asks for {name} = {wanted}, and the run in {folder} has {had}: leave"
                " it out to go on with that run, or name another folder with `out`"
            )
    stored = _options(folder).get("preset")
    if None not in (asked.preset, stored) and asked.preset != stored:
        raise DcrnetError(
            f"`preset` {asked.preset} is not the preset {stored} of the run in {folder}: leave it"
            " out to go on with that run, or name another folder with `out`"
        )
    return config


def check_initialization(folder: Path, first: InitializationOptions) -> None:
    """Refuse first weights that are not those of the run in a folder.

    Raises:
        DcrnetError: they are not, or their file is missing.
    """
    if not first.is_given:
        return
    start = _settings(folder)["start"]
    for key, value in first.initialization().provenance().items():
        if start.get(key) != value:
            raise DcrnetError(
                f"the first weights of the run in {folder} had the {key} {start.get(key)}, not"
                f" {value}: leave `start_from`, `backbone_weights` and `from_scratch` out to go on"
                " with that run, or name another folder with `out`"
            )


def _settings(folder: Path) -> dict[str, Any]:
    if not (folder / SETTINGS_NAME).exists():
        raise DcrnetError(
            f"{folder} holds no run to resume: leave `resume` out, or name the run's folder with"
            " `out`"
        )
    return stored_settings(folder)


def _options(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / OPTIONS_NAME).read_text())
    except FileNotFoundError:  # a run of before they were written
        return {}


def _layers(asked: SettingOptions) -> Iterator[tuple[str, presets.Values]]:
    """What the options ask for, each with the option's name."""
    if asked.config is not None:
        yield f"`config` {asked.config}", presets.read_toml(asked.config)
    for text in asked.set_ or ():
        yield f"`set_` {text}", parse_assignment(text)
    for path, value in asked.named().items():
        if value is not None:
            yield f"`{asked.option_of(path)}` {value}", nested(path, value)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.absolute())
    return [_plain(each) for each in value] if isinstance(value, list) else value


@rank_zero_only
def _write(path: Path, values: dict[str, Any]) -> None:
    with written_beside(path) as beside:
        beside.write_text(tomli_w.dumps(values))
