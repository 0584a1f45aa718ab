"""The options of ``dcrnet-train``, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_edge.models.registry import names as network_names
from dcrnet_edge.presets import preset_names
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.training.hardware import Hardware
    from dcrnet_edge.training.initialization import Initialization


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is trained on, and where it goes."""

    data: Annotated[Path, typer.Option(help="The data set's folder.")]
    out: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/dcrnet")
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that --out holds.")
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
        int | None, typer.Option(help="Input side in px; dcrnet takes 64, 128, 192 or 224.")
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
        return {
            "dataset": self.dataset,
            "architecture": self.network,
            "preprocess.size_px": self.size,
            "recipe.epochs": self.epochs,
            "recipe.batch_size": self.batch_size,
            "recipe.learning_rate": self.learning_rate,
            "recipe.seed": self.seed,
            "split.kind": self.protocol,
            "split.fold": self.fold,
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
            " file."
        ),
    ] = None
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Random weights instead of ImageNet's.")
    ] = False

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
class HardwareOptions:
    """What carries a run out."""

    landmarks: Annotated[
        Path | None, typer.Option(help="A face_landmarker.task bundle to find faces with.")
    ] = None
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
