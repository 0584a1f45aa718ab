"""Small training runs: what several tests train, also in processes of their own."""

from __future__ import annotations

import functools
import os
import signal
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from edge.toy import TOY, register_toy  # noqa: F401  # a setting, by its name
from generated import FixedDetector, synthetic_face

from dcrnet_edge.data.crop_cache import CropCache
from dcrnet_edge.data.face_cache import FaceCache
from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.reading import read_dataset
from dcrnet_edge.presets import preset
from dcrnet_edge.training.hardware import Hardware
from dcrnet_edge.training.initialization import Initialization, InitializationKind
from dcrnet_edge.training.module import TrainingModule
from dcrnet_edge.training.run import Run
from dcrnet_edge.training.run_config import RunConfig

FERPLUS = preset("ferplus")
PAPER = preset("affectnet") | {"split": {}}
MIXED = {"recipe": {"mixed_sizes": [64]}, "preprocess": {"size_px": 128}}
"""A change that makes batches of 128 and 64 px take turns."""
EIGHT: dict[str, Any] = {"recipe": {"batch_size": 8}}
"""A change that halves the steps."""
SMALL: dict[str, Any] = {
    "dataset": "folders",
    "preprocess": {"size_px": 64, "source_px": 48},
    "range_sizes": [],
    "recipe": {
        **{"epochs": 2, "progressive": [], "mixed_sizes": [], "batch_size": 4},
        "augment": {"camera": 0.3},
    },
}


def open_fixed_detector() -> FixedDetector:
    """A detector that a worker process can open, too."""
    face = synthetic_face(centre=(36.0, 36.0), side=40.0)
    return FixedDetector(face, landmarks_sha256="ee" * 32)


def face_data(root: Path, caches: Path) -> FaceData:
    """A tree of folders with its faces."""
    dataset = read_dataset("folders", root)
    return FaceData(
        dataset, FaceCache(caches / "faces", open_fixed_detector), CropCache(caches / "crops")
    )


def small_run(
    data: FaceData, folder: Path, base: dict[str, Any], *changes: dict[str, Any], **hardware: Any
) -> Run:
    """A run of seconds from random weights."""
    config = RunConfig.of(base, SMALL, *changes)
    scratch = Initialization(InitializationKind.SCRATCH)
    return Run(data, config, scratch, folder, license="generated", hardware=Hardware(**hardware))


def changes(names: str) -> list[dict[str, Any]]:
    """``FERPLUS+MIXED``: the settings of this module that are called so, later ones win."""
    return [globals()[name] for name in names.split("+")]


def no_statistics(_epoch: int) -> list[torch.Tensor]:
    """For a module that renews no batch norms."""
    return []


def environment() -> dict[str, str]:
    """What a process of its own needs to import this module and the packages under test."""
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    kept = {k: v for k, v in os.environ.items() if k in ("OMP_NUM_THREADS", "MPLCONFIGDIR")}
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PATH": "", **kept}


def kill_at(step: int) -> None:
    """Let the (first) process die of SIGKILL inside a training step."""
    training_step = TrainingModule.training_step

    @functools.wraps(training_step)
    def deadly(self: TrainingModule, *args: Any) -> torch.Tensor:
        if self.global_step == step and self.global_rank == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return training_step(self, *args)

    TrainingModule.training_step = deadly  # type: ignore[method-assign,assignment]


def tell_weights(self: TrainingModule) -> None:
    """Print the hash of the weights that this process ends with."""
    weights = b"".join(p.detach().numpy().tobytes() for p in self.network.parameters())
    sys.stdout.write(f"\nweights:{sha256(weights).hexdigest()}\n")
    sys.stdout.flush()


def main(
    tree: str | Path,
    caches: str | Path,
    folder: str | Path,
    settings: str,
    what: str,
    processes: str = "1",
) -> None:
    """Train until killed in the second epoch, or resume, or train to the end."""
    torch.set_num_threads(1)
    devices = int(processes)
    hardware: dict[str, Any] = (
        {"accelerator": "cpu", "strategy": "ddp", "devices": devices} if devices > 1 else {}
    )
    data = face_data(Path(tree), Path(caches))
    register_toy()
    run = small_run(data, Path(folder), *changes(settings), checkpoint_minutes=0, **hardware)
    if what == "killed":
        kill_at(run._loaders().steps + 1)
    TrainingModule.on_train_end = tell_weights  # type: ignore[method-assign,assignment]
    run.train(resume=what == "resumed")


if __name__ == "__main__":
    main(*sys.argv[1:])
