"""Loaders of a training run, epoch by epoch."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import lightning
import torch
from lightning.pytorch.overrides.distributed import UnrepeatedDistributedSampler
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from dcrnet_edge.data.data_wait import images_per_s_a_core
from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.data.items import AugmentedFaces, Item, PreparedFaces
from dcrnet_edge.data.loader_spec import LoaderSpec
from dcrnet_edge.data.order import OversampledOrder, SizedOrder
from dcrnet_edge.data.train_faces import EVAL_BATCH, STATISTICS_FACES
from dcrnet_edge.datasets.sample import Split
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec

T = TypeVar("T")

_CAN_WAIT = hasattr(signal, "sigwaitinfo")  # macOS cannot


class FaceDataModule(lightning.LightningDataModule):
    """Loaders of one epoch each, since an epoch's noise and sizes are its own.

    Args:
        data: the faces.
        spec: the contract at its full size.
        loading: sizes, augmentation, order.
        devices: how many share an epoch.
        workers: loading processes a device; 0 loads in the training process.
    """

    def __init__(
        self,
        data: FaceData,
        spec: PreprocessSpec,
        loading: LoaderSpec,
        devices: int,
        workers: int,
    ) -> None:
        super().__init__()
        self._data = data
        self._spec = spec
        self._loading = loading
        self._devices = devices
        self._workers = workers
        self._start = (0, 0)
        self._order: OversampledOrder | None = None
        samples = len(data.samples(Split.TRAIN))
        self.steps = samples // devices // loading.batch_size
        if self.steps == 0:
            raise DcrnetError(
                f"{samples} training images do not fill one batch of {loading.batch_size}:"
                " give more images or a smaller `batch_size`"
            )
        valid = len(data.samples(Split.VALID))
        if valid < devices:
            raise DcrnetError(
                f"{valid} validation images do not occupy {devices} devices: give more images or"
                " fewer `devices`"
            )

    def start_at(self, step: int) -> None:
        """Go on behind ``step`` optimiser steps."""
        epoch, steps = divmod(step, self.steps)
        self._start = epoch, steps * self._loading.batch_size

    def prepare_data(self) -> None:
        """Find and prepare faces, which one process a node does while the others wait."""
        for split in (Split.TRAIN, Split.VALID):
            self._data.faces(split)
        for spec in {self.spec_at(epoch) for epoch in range(self._loading.epochs)}:
            self._data.crops(Split.VALID, spec)

    def spec_at(self, epoch: int) -> PreprocessSpec:
        """The contract at the main size of ``epoch``."""
        return replace(self._spec, size_px=self._loading.sizes.at(epoch)[0])

    def statistics(self, epoch: int, size_px: int | None = None) -> Iterator[Tensor]:
        """Batches (N, 3, S, S) uint8 as ``epoch`` trains on them, for batch norms.

        Augmented and oversampled like those that the weights have adapted to: statistics of plain
        faces cost more than a point of accuracy.

        Args:
            epoch: counted from 0.
            size_px: S; None takes the main size of ``epoch``.
        """
        size_px = size_px or self.spec_at(epoch).size_px
        order = self._new_order(0, 1)
        order.set_epoch(epoch)
        keys = [(draw, size_px) for draw in list(order)[:STATISTICS_FACES]]
        keys = keys[: len(keys) // EVAL_BATCH * EVAL_BATCH] or keys
        loader = DataLoader(self._augmented(), EVAL_BATCH, sampler=keys)
        return (codes for codes, _, _ in loader)

    def images_per_s_a_core(self) -> float:
        """What one core loads in a second, at the last epoch's main size."""
        epoch = self._loading.epochs - 1
        order = self._new_order(0, 1)
        order.set_epoch(epoch)
        size_px = self.spec_at(epoch).size_px
        keys = [(draw, size_px) for draw in list(order)[:EVAL_BATCH]]
        return images_per_s_a_core(self._augmented(), keys)

    def _new_order(self, rank: int, devices: int) -> OversampledOrder:
        samples, labels = self._data.samples(Split.TRAIN), len(self._data.dataset.labels)
        power, seed = self._loading.oversampling_power, self._loading.seed
        return OversampledOrder(samples, labels, power, seed, rank=rank, devices=devices)

    def _augmented(self) -> AugmentedFaces:
        samples, faces = self._data.samples(Split.TRAIN), self._data.faces(Split.TRAIN)
        return AugmentedFaces(samples, faces, self._spec, self._loading)

    def train_dataloader(self) -> DataLoader[Item]:
        assert self.trainer is not None
        if self._order is None:
            self._order = self._new_order(self.trainer.global_rank, self._devices)
            self._order.start_at(*self._start)
        self._order.set_epoch(self.trainer.current_epoch)
        return SigtermProofLoader(
            self._augmented(),
            self._loading.batch_size,
            sampler=SizedOrder(self._order, self._loading.sizes, self._loading.batch_size),
            drop_last=True,
            num_workers=self._workers,
            worker_init_fn=stand_sigterm,
            # A generator of its own leaves dropout's random numbers alone.
            generator=torch.Generator(),
        )

    def val_dataloader(self) -> DataLoader[Item]:
        assert self.trainer is not None
        crops = self._data.crops(Split.VALID, self.spec_at(self.trainer.current_epoch))
        faces = PreparedFaces(self._data.samples(Split.VALID), crops)
        share: Sampler[int] | None = None
        if self._devices > 1:
            share = UnrepeatedDistributedSampler(
                faces, self._devices, self.trainer.global_rank, shuffle=False
            )
        return SigtermProofLoader(
            faces,
            EVAL_BATCH,
            sampler=share,
            num_workers=self._workers,
            worker_init_fn=stand_sigterm,
        )


class SigtermProofLoader(DataLoader[T]):
    """A loader whose processes stand a SIGTERM to the whole group from their first instruction on.

    It is for the training process alone, which ends behind its step with a resume point: until
    then it needs what is loaded. Their ``worker_init_fn`` is :func:`stand_sigterm`.
    """

    def __iter__(self) -> Any:
        with _sigterm_held():  # a mask that they are born with
            return super().__iter__()


@contextmanager
def _sigterm_held() -> Generator[None]:
    """Deliver a SIGTERM behind the block."""
    if not _CAN_WAIT:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def stand_sigterm(_worker: int) -> None:
    """Let SIGTERM end this loading process only where the training process sent it."""
    if not _CAN_WAIT:
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_obey_parent, args=(os.getppid(),), daemon=True).start()


def _obey_parent(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
