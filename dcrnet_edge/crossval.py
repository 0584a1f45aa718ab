"""Cross-validation: a run a fold, and one file with every image's prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dcrnet_edge.callbacks import RESUME_NAME
from dcrnet_edge.checkpoint import load_checkpoint
from dcrnet_edge.datasets.splits import SplitKind, SplitPlan
from dcrnet_edge.evaluation import of_network
from dcrnet_edge.facedata import FaceData
from dcrnet_edge.predictions import Predictions, save_predictions
from dcrnet_edge.run import CHECKPOINT_NAME, Machine, Run
from dcrnet_edge.runconfig import RunConfig
from dcrnet_edge.start import Start

PREDICTIONS_NAME = "predictions.csv"


def cross_validate(
    open_data: Callable[[SplitPlan], FaceData],
    config: RunConfig,
    start: Start,
    folder: Path,
    root: Path,
    *,
    terms: str = "",
    machine: Machine | None = None,
) -> Path:
    """Train on all folds but one, predict that one, for each in turn.

    A fold that is done is not done again, one that was cut off is gone on with.

    Args:
        open_data: reads the data set for a split plan.
        config: of every fold; its split plan says how many there are.
        start: first weights of every fold.
        folder: gets one run folder a fold, and the predictions.
        root: folder that the images' names are relative to.
        terms: of the data.
        machine: what carries it out.

    Returns:
        the file with the Test predictions of all folds.
    """
    parts = []
    for fold in range(config.split.folds):
        plan = replace(config.split, kind=SplitKind.SUBJECT, fold=fold)
        data = open_data(plan)
        run_folder = folder / f"fold-{fold}"
        checkpoint = run_folder / CHECKPOINT_NAME
        if not checkpoint.is_file():
            run = Run(
                data, replace(config, split=plan), start, run_folder, terms=terms, machine=machine
            )
            run.train(resume=(run_folder / RESUME_NAME).is_file())
        loaded = load_checkpoint(checkpoint)
        spec = loaded.card.preprocess
        parts.append(of_network(loaded.network, spec, data, f"fold-{fold}", root))
    path = folder / PREDICTIONS_NAME
    save_predictions(path, Predictions.joined(parts))
    return path
