"""What carries a run out."""

from __future__ import annotations

import os
import platform
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from dcrnet_edge.training.recipe import ComputePrecision
from dcrnet_runtime.errors import DcrnetError

_FORKED = ("spawn", "fork", "notebook")
_CPUINFO = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """Processor, its cores, and the GPU where there is one, as JSON values."""
    lines = _CPUINFO.read_text().splitlines() if _CPUINFO.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = names[0] if names else platform.processor() or platform.machine()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"cpu": cpu, "cores": os.cpu_count(), "gpu": gpu}


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

    def trainer(self, precision: ComputePrecision, **settings: Any) -> lightning.Trainer:
        """Lightning's trainer on this machine.

        Args:
            precision: of autocast.
            settings: the trainer's other arguments.

        Raises:
            DcrnetError: the machine has no such devices, or they cannot compute in ``precision``.
        """
        if any(word in self.strategy for word in _FORKED):
            raise DcrnetError(
                f"`strategy` {self.strategy} trains in copies of this process, whose results it"
                " does not see: give `strategy` ddp"
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
                f"this machine cannot train with `accelerator` {self.accelerator} `devices`"
                f" {self.devices} `strategy` {self.strategy} ({reason}): leave these options out"
                " to use what there is"
            ) from error
        if trainer.precision != precision.value:
            raise DcrnetError(
                f"recipe.precision {precision.value} is not possible on a CPU: set it to"
                f" {ComputePrecision.BF16.value} or {ComputePrecision.FP32.value}"
            )
        return trainer
