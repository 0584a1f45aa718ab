"""One training as a unit of a study, which goes on in a run folder of its own."""

from __future__ import annotations

from pathlib import Path

from dcrnet_edge.cli.train import quiet_lightning
from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.registry import adapter
from dcrnet_edge.evaluation.answers import of_network
from dcrnet_edge.evaluation.predictions import save_predictions
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.training.initialization import Initialization
from dcrnet_edge.training.interruption import RunEndedError
from dcrnet_edge.training.run import Run
from dcrnet_edge.training.run_config import RunConfig


def train_and_answer(
    config: RunConfig, data: FaceData, initialization: Initialization, root: Path, path: Path
) -> None:
    """Train, or go on with the run of this unit, and keep its answers to Test.

    Args:
        config: how.
        data: what.
        initialization: the first weights.
        root: folder that the images' names are relative to.
        path: of the unit's file, whose name the run folder gets.

    Raises:
        DcrnetError: the training was ended, or could not be done.
    """
    quiet_lightning()
    folder = path.parents[1] / "runs" / path.stem
    run = Run(data, config, initialization, folder, license=adapter(config.dataset).license)
    try:
        trained = load_checkpoint(run.finished() or run.train(resume=run.resumable()))
    except RunEndedError as error:
        raise RunEndedError(error.by, "the same command goes on") from error
    spec = trained.card.preprocess
    save_predictions(path, of_network(trained.network, spec, data, "test", root))
