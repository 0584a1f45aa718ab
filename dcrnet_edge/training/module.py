"""A network as Lightning trains it: the losses, the optimiser and what happens around a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics import Accuracy

from dcrnet_edge.models.batch_norm import renew_batch_norms
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_edge.training.recipe import ComputePrecision, Optimiser, Recipe, Schedule
from dcrnet_runtime.errors import DcrnetError

ACCURACY = "valid_accuracy"
LAST_WEIGHTS = "last.safetensors"
"""The weights of the last epoch that ended, in the run folder."""

_ONE_CYCLE_WARMUP = 0.2

Batch = tuple[Tensor, Tensor, Tensor]
"""Codes (N, 3, S, S) uint8, targets (N, labels) float32, labels (N,) int64."""


class TrainingStopError(DcrnetError):
    """Training ended for a reason whose message says how to go on."""


class TrainingModule(lightning.LightningModule):
    """A network with an auxiliary classifier.

    Dropout is seeded by seed, step and device, so that a run that was cut off anywhere and one
    that was not draw the same.

    Args:
        network: what is trained; its weights are what a checkpoint keeps.
        recipe: what to do.
        total_steps: optimiser steps of the whole run.
        class_counts: training images of each label, for eq. 7.
        statistics: gives the training faces of an epoch, (N, 3, S, S) uint8, that renew the
            batch norms of averaged weights, or of several sizes, before each validation.
    """

    def __init__(
        self,
        network: FaceNetwork,
        recipe: Recipe,
        total_steps: int,
        class_counts: Sequence[int],
        statistics: Callable[[int], Iterable[Tensor]],
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p *= recipe.dropout_scale
        labels = len(network.config.labels)
        self.auxiliary = nn.Linear(network.feature_channels, labels)
        # DDP waits for the gradient of whatever asks for one.
        self.auxiliary.requires_grad_(recipe.auxiliary_weight > 0)
        self.accuracy = Accuracy("multiclass", num_classes=labels, average="micro")
        counts = torch.tensor(class_counts, dtype=torch.float32)
        weights = counts.sum() / (labels * counts) if recipe.class_weights else None
        self.register_buffer("class_weights", weights, persistent=False)
        self._recipe = recipe
        self._total_steps = total_steps
        self._statistics = statistics
        self._plateau: torch.optim.lr_scheduler.ReduceLROnPlateau | None = None
        self._plateau_state: dict[str, Any] = {}

    def on_train_batch_start(self, _batch: Batch, _index: int) -> None:
        seeds = np.random.SeedSequence((self._recipe.seed, self.global_step, self.global_rank))
        torch.manual_seed(int(seeds.generate_state(1)[0]))

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        codes, targets, labels = batch
        if not self._recipe.soft_labels:
            targets = functional.one_hot(labels, targets.shape[1]).to(targets.dtype)
        features = self.network.embed(codes.contiguous(memory_format=torch.channels_last))
        loss = self._cross_entropy(self.network.classify(features), targets)
        self.log("loss", loss, prog_bar=True)
        self.log("learning_rate", self.trainer.optimizers[0].param_groups[0]["lr"])
        if self._recipe.auxiliary_weight > 0:
            auxiliary = self._cross_entropy(self.auxiliary(features.mean(dim=(2, 3))), targets)
            self.log("auxiliary_loss", auxiliary)
            loss = loss + self._recipe.auxiliary_weight * auxiliary
        if self._recipe.dense_l2 > 0:
            squares = [kernel.square().sum() for kernel in self.network.dense_kernels()]
            loss = loss + self._recipe.dense_l2 * sum(squares)
        if not torch.isfinite(loss):
            raise self._diverged(f"the loss became {loss.item()}")
        return loss

    def on_before_optimizer_step(self, _optimizer: torch.optim.Optimizer) -> None:
        if self._recipe.precision is ComputePrecision.FP16:
            return  # its scaler skips such steps, which it makes itself
        norm = nn.utils.get_total_norm([p.grad for p in self.parameters() if p.grad is not None])
        if not torch.isfinite(norm):
            raise self._diverged("a gradient is not finite")

    def _diverged(self, what: str) -> TrainingStopError:
        return TrainingStopError(
            f"{what} at step {self.global_step}; the weights were left as they were: lower"
            " recipe.learning_rate or set recipe.gradient_clip, and start a new run, from this"
            f" one's {LAST_WEIGHTS} (`start_from`) if it ended an epoch"
        )

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Of smoothed targets; eq. 7 weighs an image by its own label.

        PyTorch's `weight` would weigh what smoothing gives to every label, too: with a label 200
        times rarer than the commonest, each image would then be answered with that one.
        """
        if self.class_weights is not None:
            targets = targets * self.class_weights  # type: ignore[operator]  # a buffer, or None
        even = targets.mean(dim=1, keepdim=True)
        targets = targets.lerp(even, self._recipe.label_smoothing)
        return functional.cross_entropy(logits.float(), targets)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        if self._recipe.min_bn_gamma > 0:
            with torch.no_grad():
                for norm in self.network.pre_activation_norms():
                    norm.weight.clamp_(min=self._recipe.min_bn_gamma)

    def on_validation_epoch_start(self) -> None:
        # The running statistics belong to the weights of each step, not to their average, and to
        # all sizes together.
        if self._recipe.ema_decay > 0 or self._recipe.mixed_sizes:
            batches = self._statistics(self.current_epoch)
            renew_batch_norms(self.network, (codes.to(self.device) for codes in batches))

    def validation_step(self, batch: Batch, _index: int) -> None:
        codes, targets, labels = batch
        logits = self.network(codes.contiguous(memory_format=torch.channels_last)).float()
        self.log(
            "valid_loss",
            functional.cross_entropy(logits, targets),
            batch_size=len(codes),
            sync_dist=True,
        )
        self.accuracy(logits, labels)
        self.log(ACCURACY, self.accuracy, on_epoch=True, prog_bar=True)

    def on_validation_epoch_end(self) -> None:
        # Here and not as Lightning's scheduler, which would step it only after the epoch's
        # checkpoint is written.
        if self._plateau is not None:
            self._plateau.step(float(self.accuracy.compute()))

    def configure_optimizers(self) -> Any:
        recipe = self._recipe
        kernels = [p for p in self.parameters() if p.ndim > 1]
        rest = [p for p in self.parameters() if p.ndim <= 1]
        groups = [
            {"params": kernels, "weight_decay": recipe.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        optimizer: torch.optim.Optimizer
        match recipe.optimiser:
            case Optimiser.ADAM:
                optimizer = torch.optim.Adam([*kernels, *rest], lr=recipe.learning_rate)
            case Optimiser.ADAMW:
                # Lightning does not clip under autocast what a fused step may have to unscale.
                fused = recipe.precision is ComputePrecision.FP32 or recipe.gradient_clip == 0
                optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=fused)
        match recipe.schedule:
            case Schedule.PLATEAU:
                self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                    optimizer, "max", recipe.plateau_factor, recipe.plateau_patience
                )
                self._plateau.load_state_dict(self._plateau_state)
                return optimizer
            case Schedule.ONE_CYCLE if self._total_steps * _ONE_CYCLE_WARMUP <= 1:
                return optimizer  # no step is left to warm up by
            case Schedule.ONE_CYCLE:
                one_cycle = torch.optim.lr_scheduler.OneCycleLR(
                    optimizer,
                    recipe.learning_rate,
                    total_steps=self._total_steps,
                    pct_start=_ONE_CYCLE_WARMUP,
                )
                return [optimizer], [{"scheduler": one_cycle, "interval": "step"}]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if self._plateau is not None:
            checkpoint["plateau"] = self._plateau.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self._plateau_state = checkpoint.get("plateau", {})
        if self._plateau is not None:
            self._plateau.load_state_dict(self._plateau_state)
