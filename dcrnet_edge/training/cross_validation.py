"""Cross-validation: a run a fold, and one file with every image's prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.splits import SplitKind, SplitPlan
from dcrnet_edge.evaluation.answers import of_network
from dcrnet_edge.evaluation.predictions import Predictions, save_predictions
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.training.hardware import Hardware
from dcrnet_edge.training.initialization import Initialization
from dcrnet_edge.training.run import Run
from dcrnet_edge.training.run_config import RunConfig
from dcrnet_runtime.errors import DcrnetError

PREDICTIONS_NAME = "predictions.csv"


def cross_validate(
    open_data: Callable[[SplitPlan], FaceData],
    config: RunConfig,
    initialization: Initialization,
    folder: Path,
    root: Path,
    *,
    license: str = "",
    hardware: Hardware | None = None,
    command: str = "",
) -> Path:
    """Train on all folds but one, predict that one, for each in turn.

    A fold that is done is not done again, one that was cut off is gone on with.

    Args:
        open_data: reads the data set for a split plan.
        config: of every fold; its split plan says how many there are, and whether they are of
            subjects, which is the default, or of single images.
        initialization: first weights of every fold.
        folder: gets one run folder a fold, and the predictions.
        root: folder that the images' names are relative to.
        license: of the data.
        hardware: what carries it out.
        command: that this is done by, for the cards.

    Returns:
        the file with the Test predictions of all folds.

    Raises:
        DcrnetError: the plan has no folds, a fold's folder holds another run, several devices
            were asked for, or training stopped.
    """
    hardware = hardware or Hardware()
    kind = _checked_kind(config, hardware, folder)
    parts = []
    for fold in range(config.split.folds):
        plan = replace(config.split, kind=kind, fold=fold)
        data = open_data(plan)
        run = Run(
            data,
            replace(config, split=plan),
            initialization,
            folder / f"fold-{fold}",
            license=license,
            hardware=hardware,
            command=command,
        )
        loaded = load_checkpoint(_trained(run, plan))
        spec = loaded.card.preprocess
        parts.append(of_network(loaded.network, spec, data, f"fold-{fold}", root))
    path = folder / PREDICTIONS_NAME
    save_predictions(path, Predictions.joined(parts))
    return path


def _checked_kind(config: RunConfig, hardware: Hardware, folder: Path) -> SplitKind:
    """What the folds are of; refuses a split without folds, and several devices."""
    kind = config.split.kind or SplitKind.SUBJECT
    if kind not in (SplitKind.SUBJECT, SplitKind.RANDOM):
        raise DcrnetError(
            f"`protocol` {kind} is one split and has no folds: give `protocol` subject or random"
            " with `all_folds`, or leave `all_folds` out"
        )
    if hardware.processes > 1:
        raise DcrnetError(
            f"`all_folds` trains on one device: train each fold with `protocol` {kind}, `fold` N"
            f" and `out` {folder}/fold-N, then `all_folds` on one device joins their answers"
        )
    return kind


def _trained(run: Run, plan: SplitPlan) -> Path:
    """A fold's checkpoint: there already, or trained now, from its resume point if it has one."""
    try:
        return run.finished() or run.train(resume=run.resumable())
    except DcrnetError as error:
        stopped = DcrnetError(
            f"fold {plan.fold} of {plan.folds}: {error}; the same command with `all_folds`"
            " goes on where it stopped"
        )
        stopped.exit_code = error.exit_code  # of a signal, where it was one
        raise stopped from error
