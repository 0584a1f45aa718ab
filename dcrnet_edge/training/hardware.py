"""What carries a run out, and what stops it from outside."""

from __future__ import annotations

import errno
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch.distributed import DistError

from dcrnet_edge.training.module import TrainingStopError
from dcrnet_edge.training.recipe import Precision
from dcrnet_runtime.errors import DcrnetError

_FORKED = ("spawn", "fork", "notebook")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Hardware:
    """What carries a run out.

    Attributes:
        accelerator: Lightning's name: ``auto``, ``cpu``, ``cuda``, ``mps``.
        devices: processes a node; each takes its share of an epoch in batches of the recipe's
            size.
        nodes: hosts.
        strategy: Lightning's name, such as ``ddp``, which starts the command again for each
            device.
        workers: loading processes a device.
        checkpoint_minutes: between two resume points inside an epoch.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    workers: int = 0
    checkpoint_minutes: float = 10.0

    @property
    def processes(self) -> int:
        """Devices of all nodes together."""
        return self.devices * self.nodes

    def trainer(self, precision: Precision, **settings: Any) -> lightning.Trainer:
        """Lightning's trainer on this machine.

        Args:
            precision: of autocast.
            settings: the trainer's other arguments.

        Raises:
            DcrnetError: the machine has no such devices, or they cannot compute in ``precision``.
        """
        if any(word in self.strategy for word in _FORKED):
            raise DcrnetError(
                f"--strategy {self.strategy} trains in copies of this process, whose results it"
                " does not see: give --strategy ddp"
            )
        try:
            with warnings.catch_warnings():  # the refusal below says it
                warnings.filterwarnings("ignore", ".*AMP with fp16 is not supported on CPU.*")
                trainer = lightning.Trainer(
                    accelerator=self.accelerator,
                    devices=self.devices,
                    num_nodes=self.nodes,
                    strategy=self.strategy,
                    precision=precision.value,
                    **settings,
                )
        except (MisconfigurationException, ImportError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise DcrnetError(
                f"this machine cannot train with --accelerator {self.accelerator} --devices"
                f" {self.devices} --strategy {self.strategy} ({reason}): leave these options out"
                " to use what there is"
            ) from error
        if trainer.precision != precision.value:
            raise DcrnetError(
                f"recipe.precision {precision.value} is not possible on a CPU: give --set"
                f" recipe.precision={Precision.BF16.value}, or {Precision.FP32.value}"
            )
        return trainer


@contextmanager
def explained(folder: Path) -> Generator[None, None, None]:
    """Turn what can happen to a long run into one line that says how to go on.

    Args:
        folder: the run's.

    Raises:
        DcrnetError: the disk is full, an image cannot be read any more, or a loading process or
            another device's was killed.
    """
    remedy = f"dcrnet-train --resume --out {folder} goes on from the last resume point"
    try:
        yield
    except TrainingStopError:
        raise
    except DcrnetError as error:
        message = str(error)
        if message.startswith("Caught DcrnetError in DataLoader worker"):  # and its traceback
            message = message.strip().rpartition("DcrnetError: ")[2]
        raise DcrnetError(f"training stopped: {message}; mend that, then {remedy}") from error
    except OSError as error:
        mend = "make room" if error.errno in _NO_ROOM else "mend that"
        raise DcrnetError(
            f"training stopped: {error.strerror or error} ({error.filename}): {mend}, then"
            f" {remedy}"
        ) from error
    except MemoryError as error:
        raise _out_of_memory(remedy) from error
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error):
            raise _out_of_memory(remedy) from error
        if "DataLoader worker" in str(error):
            raise DcrnetError(
                "training stopped: a loading process was killed, mostly for want of memory: give"
                f" fewer --workers, then {remedy}"
            ) from error
        if isinstance(error, DistError) or "gloo" in str(error):
            raise DcrnetError(
                "training stopped: the process of another device ended, or cannot be reached; its"
                f" own message says why: {remedy}"
            ) from error
        raise


def _out_of_memory(remedy: str) -> DcrnetError:
    return DcrnetError(
        "training stopped for want of memory: a new run with a smaller --batch-size or --size"
        f" needs less; where other programs took it, end them and {remedy}"
    )
