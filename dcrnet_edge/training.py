"""One training run: the optimiser, the losses and what Lightning drives."""

from __future__ import annotations

from dataclasses import dataclass, field

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from dcrnet_edge.augment import AugmentConfig
from dcrnet_edge.backbone import FEATURES
from dcrnet_edge.network import DCRNet


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What a run does, besides the network and the contract.

    Attributes:
        epochs: passes over the training split.
        batch_size: faces a step.
        learning_rate: peak of the one-cycle schedule of AdamW.
        weight_decay: decoupled, on convolution and dense kernels alone.
        auxiliary_weight: share of the loss of a linear classifier on the backbone's features,
            which is dropped after training: behind five dropouts the deep head alone teaches
            the backbone the frequent classes only, for many epochs.
        dropout_scale: of the paper's rates 0.3 and 0.4. All of them together hold a short run
            from scratch back for many epochs.
        balance: see :class:`dcrnet_edge.loader.BalancedOrder`.
        ema_decay: of the weights' moving average that is evaluated and kept.
        gradient_clip: norm.
        seed: of order, augmentation and initial weights.
        augment: augmentation.
    """

    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    auxiliary_weight: float = 0.5
    dropout_scale: float = 1.0
    balance: float = 0.3
    ema_decay: float = 0.998
    gradient_clip: float = 2.0
    seed: int = 0
    augment: AugmentConfig = field(default_factory=AugmentConfig)


class DCRNetTraining(lightning.LightningModule):
    """DCRNet with an auxiliary classifier, as Lightning trains it.

    Args:
        network: what is trained; its weights are what a checkpoint keeps.
        config: the recipe.
        total_steps: optimiser steps of the whole run.
    """

    def __init__(self, network: DCRNet, config: TrainConfig, total_steps: int) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p *= config.dropout_scale
        self.auxiliary = nn.Linear(FEATURES, len(network.config.labels))
        self._config = config
        self._total_steps = total_steps

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        codes, targets, _labels = batch
        features = self.network.embed(codes.contiguous(memory_format=torch.channels_last))
        logits = self.network.classify(features).float()
        auxiliary = self.auxiliary(features.mean(dim=(2, 3))).float()
        loss = functional.cross_entropy(logits, targets)
        auxiliary_loss = functional.cross_entropy(auxiliary, targets)
        self.log("loss", loss, prog_bar=True)
        self.log("auxiliary_loss", auxiliary_loss)
        return loss + self._config.auxiliary_weight * auxiliary_loss

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        codes, targets, labels = batch
        logits = self.network(codes.contiguous(memory_format=torch.channels_last)).float()
        self.log("valid_loss", functional.cross_entropy(logits, targets))
        correct = (logits.argmax(dim=1) == labels).float().mean()
        self.log("valid_accuracy", correct, prog_bar=True)

    def configure_optimizers(self):  # type: ignore[no-untyped-def]
        kernels = [p for p in self.parameters() if p.ndim > 1]
        rest = [p for p in self.parameters() if p.ndim <= 1]
        optimizer = torch.optim.AdamW(
            [
                {"params": kernels, "weight_decay": self._config.weight_decay},
                {"params": rest, "weight_decay": 0.0},
            ],
            lr=self._config.learning_rate,
            fused=True,
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self._config.learning_rate, total_steps=self._total_steps, pct_start=0.2
        )
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]
