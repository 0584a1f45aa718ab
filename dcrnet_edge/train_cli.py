"""``dcrnet-train``: a data set to a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dcrnet_runtime.console import VersionOption, command_app, note, reported
from dcrnet_runtime.errors import DcrnetError

app = command_app()


@app.command()
@reported
def train(
    data: Annotated[Path, typer.Option(help="The data set's folder.")],
    dataset: Annotated[str, typer.Option(help="Its layout: ferplus.")] = "ferplus",
    out: Annotated[
        Path, typer.Option(help="Run folder; one that was interrupted is gone on with.")
    ] = Path("runs/dcrnet"),
    size: Annotated[int, typer.Option(help="Input side in px: 64, 128, 192 or 224.")] = 64,
    epochs: Annotated[int, typer.Option(min=1)] = 30,
    batch_size: Annotated[int, typer.Option(min=2)] = 64,
    learning_rate: Annotated[float, typer.Option(help="Peak of the one-cycle schedule.")] = 2e-3,
    balance: Annotated[
        float, typer.Option(min=0, max=1, help="0: classes as they come, 1: equally often.")
    ] = 0.3,
    ema_decay: Annotated[
        float, typer.Option(min=0, max=1, help="Of the weights' average; short runs want less.")
    ] = 0.998,
    dropout_scale: Annotated[
        float, typer.Option(min=0, max=1, help="Of the paper's dropout rates.")
    ] = 1.0,
    focus: Annotated[
        list[float] | None,
        typer.Option(help="Strength of the landmark focus; several are drawn from at random."),
    ] = None,
    start_from: Annotated[
        Path | None, typer.Option(help="A checkpoint to start from instead of random weights.")
    ] = None,
    backbone_weights: Annotated[
        Path | None,
        typer.Option(help="torchvision's densenet121 ImageNet weights for the backbone."),
    ] = None,
    landmarks: Annotated[
        Path | None, typer.Option(help="A face_landmarker.task bundle to find faces with.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    version: VersionOption = False,
) -> None:
    """Train DCRNet and write model.safetensors into the run folder."""
    train_extra()
    from dcrnet_edge.datasets.adapter import read_dataset, terms_of
    from dcrnet_edge.network import check_size
    from dcrnet_edge.run import RunPaths
    from dcrnet_edge.run import train as run_training
    from dcrnet_edge.training import TrainConfig
    from dcrnet_runtime.assets import cache_folder
    from dcrnet_runtime.finders import FinderKind, open_finder
    from dcrnet_runtime.spec import PreprocessSpec

    if start_from is not None and backbone_weights is not None:
        raise DcrnetError("--start-from and --backbone-weights exclude each other: name one")
    kind = dataset_kind(dataset)
    check_size(size)
    finder = open_finder(FinderKind.LITERT, landmarks)
    note(f"Reading {data}.")
    faces = read_dataset(kind, data)
    counts = ", ".join(f"{split} {len(samples)}" for split, samples in faces.splits.items())
    note(f"{counts} images; {faces.repeats} repeated ones dropped. Finding faces (kept on disk).")
    strengths = focus or [0.0]
    path = run_training(
        faces,
        finder,
        PreprocessSpec(size_px=size, focus_strength=strengths[0]),
        TrainConfig(
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            balance=balance,
            dropout_scale=dropout_scale,
            ema_decay=ema_decay,
            seed=seed,
        ),
        RunPaths(out, cache_folder() / "faces"),
        focus=strengths,
        start_from=start_from,
        backbone_weights=backbone_weights,
        terms=terms_of(kind),
    )
    note(f"Wrote {path}. Next: dcrnet-eval {path} --data {data}; dcrnet-export {path} --int8")


def train_extra() -> None:
    """Say which extra is missing, rather than which module.

    Raises:
        DcrnetError: the ``train`` extra is not installed.
    """
    try:
        import lightning  # noqa: F401
        import safetensors  # noqa: F401
        import sklearn  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise DcrnetError(
            f"{error.name} is not installed: pip install 'dcrnet-edge[train]'"
        ) from error


def dataset_kind(name: str):  # type: ignore[no-untyped-def]  # the enum is imported lazily
    """The adapter called ``name``.

    Raises:
        DcrnetError: there is none.
    """
    from dcrnet_edge.datasets.adapter import DatasetKind

    try:
        return DatasetKind(name)
    except ValueError as error:
        raise DcrnetError(
            f"--dataset {name} is unknown: choose {', '.join(DatasetKind)}"
        ) from error
