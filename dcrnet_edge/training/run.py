"""A training run on disk: from a data set to a checkpoint, resumable at any step."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import harmonic_mean

import lightning
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    EMAWeightAveraging,
)
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from dcrnet_edge.data.data_module import FaceDataModule
from dcrnet_edge.data.data_wait import DataWait
from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.data.train_faces import train_batches
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.distillation.sources import SOURCES_KEY, Source, joined, terms
from dcrnet_edge.distillation.teaching import Taught
from dcrnet_edge.evaluation.inference import predict
from dcrnet_edge.models import registry
from dcrnet_edge.models.activation_ranges import activation_ranges
from dcrnet_edge.models.batch_norm import norms_of, renew_batch_norms
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_edge.training.bare_step import bare_images_per_s
from dcrnet_edge.training.callbacks.jsonl_logger import Curves, JsonlLogger
from dcrnet_edge.training.callbacks.kept_weights import BEST_WEIGHTS, KeptWeights
from dcrnet_edge.training.callbacks.progress_bar import ProgressBar
from dcrnet_edge.training.callbacks.resume_point import (
    RESUME_NAME,
    ResumePoint,
    WholeCheckpoints,
    step_of,
)
from dcrnet_edge.training.failures import explained
from dcrnet_edge.training.hardware import Hardware
from dcrnet_edge.training.initialization import Initialization
from dcrnet_edge.training.module import ACCURACY, LAST_WEIGHTS, TrainingModule
from dcrnet_edge.training.recipe import Keep, Recipe
from dcrnet_edge.training.run_config import RunConfig
from dcrnet_edge.training.settings import Settings, read_settings, settings_of, write_settings
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import remove_leftovers
from dcrnet_runtime.preprocess.spec import PreprocessSpec

CHECKPOINT_NAME = "model.safetensors"


class Run:
    """One run in its folder.

    Args:
        data: what to learn; what teachers made of a data set says who they were.
        config: how.
        initialization: the first weights.
        folder: where everything is written.
        license: of the data, for the card, which has that of everything else by itself.
        hardware: what carries it out.
        command: that this is done by, for the card.
    """

    def __init__(
        self,
        data: FaceData | Taught,
        config: RunConfig,
        initialization: Initialization,
        folder: Path,
        *,
        license: str = "",
        hardware: Hardware | None = None,
        command: str = "",
    ) -> None:
        self.folder = folder
        self._taught = data if isinstance(data, Taught) else None
        data = data.data if isinstance(data, Taught) else data
        self._data = data
        self._config = config
        self._initialization = initialization
        self._license = license
        self._command = command
        self._hardware = hardware or Hardware()
        self._spec = replace(config.preprocess, landmarks_sha256=data.landmarks_sha256)
        self._resume_path = folder / RESUME_NAME

    def train(self, *, resume: bool = False) -> Path:
        """Train to the end and write the checkpoint.

        Args:
            resume: go on where the run folder's last resume point was written.

        Returns:
            the checkpoint's path.

        Raises:
            DcrnetError: the folder holds another run, or none to resume; the data cannot be
                learned; the run was ended from outside. Every message names the next command.
        """
        lightning.seed_everything(self._config.recipe.seed, verbose=False)
        counts = self._data.class_counts().tolist()
        loaders = self._loaders()
        network, settings = self._begin(resume)
        recipe = self._config.recipe
        module = TrainingModule(
            network,
            # Teachers' answers are soft, whatever the labels in them were.
            recipe if self._taught is None else replace(recipe, soft_labels=True),
            loaders.steps * self._config.recipe.epochs,
            counts,
            # A function, which averaging does not copy; a method would take its detector along.
            lambda epoch: loaders.statistics(epoch),
        )
        point = ResumePoint(self._resume_path, self._hardware.checkpoint_minutes)
        wait = DataWait()
        trainer = self._trainer(point, wait, loaders, settings)
        with explained(self.folder, point.request), warnings.catch_warnings():
            for text in (".*your dataloader is not resumable.*", ".*LeafSpec.*is deprecated.*"):
                warnings.filterwarnings("ignore", text)  # Lightning's own affairs
            with point.request.listening():
                trainer.fit(
                    module,
                    datamodule=loaders,
                    ckpt_path=str(self._resume_path) if resume else None,
                    weights_only=True,
                )
            point.end_if_told()
            settings |= {
                "hours": round(point.hours, 3),
                "epochs_run": trainer.current_epoch,
                "box_only_share": round(self._data.box_only_share(Split.TRAIN), 4),
                "data_wait_percent": round(wait.percent, 2),
                "images_per_s": round(wait.images_per_s, 1),
                "loader_images_per_s_a_core": round(loaders.images_per_s_a_core(), 1),
            }
            if trainer.strategy.root_device.type == "cuda":
                settings["bare_images_per_s"] = round(self._bare_rate(trainer, network), 1)
            rank_zero_only(write_settings)(self.folder, settings, self._config)
            if trainer.is_global_zero:
                self._finish(loaders, settings)
            trainer.strategy.barrier()
        return self.folder / CHECKPOINT_NAME

    def finished(self) -> Path | None:
        """The checkpoint, where this run has been trained to its end.

        Raises:
            DcrnetError: the folder holds the end of another run.
        """
        path = self.folder / CHECKPOINT_NAME
        if not path.is_file():
            return None
        expected = self._settings()
        del expected["devices"]  # as many as then are not needed to read it
        before = read_settings(self.folder, expected)["start"]
        for key, value in self._initialization.provenance().items():
            if before.get(key) != value:
                raise DcrnetError(
                    f"{self.folder} holds a run whose first weights had another {key}"
                    f" ({before.get(key)}, now {value}): name another folder with `out`"
                )
        return path

    def resumable(self) -> bool:
        """Whether the folder holds a run that was cut off."""
        return self._resume_path.is_file()

    def _loaders(self) -> FaceDataModule:
        return FaceDataModule(
            self._data,
            self._spec,
            self._config.recipe.loading(self._spec.size_px, self._config.focus),
            self._hardware.processes,
            self._hardware.workers,
        )

    def _settings(self) -> Settings:
        processes = self._hardware.processes
        return settings_of(
            self._data.dataset,
            self._config,
            self._spec.landmarks_sha256,
            processes,
            self._taught,
            self._command,
        )

    def _begin(self, resume: bool) -> tuple[FaceNetwork, Settings]:
        """The network and the settings, which are written down or compared."""
        architecture = registry.architecture(self._config.architecture)
        network_config = self._config.network_config(self._data.dataset.labels)
        settings = self._settings()
        if resume:
            if not self.resumable():
                raise DcrnetError(
                    f"{self.folder} holds no run to resume: leave `resume` out, or name the run's"
                    " folder with `out`"
                )
            settings["start"] = read_settings(self.folder, settings)["start"]
            network = architecture.build(network_config)
        else:
            if self._resume_path.exists():
                raise DcrnetError(
                    f"{self.folder} holds a run: `resume` goes on with it, or name another folder"
                    " with `out`"
                )
            network, settings["start"] = self._initialization.network(architecture, network_config)
        settings[SOURCES_KEY] = [source.to_json() for source in self._sources(settings)]
        rank_zero_only(remove_leftovers)(self.folder)
        rank_zero_only(write_settings)(self.folder, settings, self._config)
        return network, settings

    def _trainer(
        self, point: ResumePoint, wait: DataWait, loaders: FaceDataModule, settings: Settings
    ) -> lightning.Trainer:
        recipe = self._config.recipe
        logger = JsonlLogger(self.folder)
        step = step_of(self._resume_path) if self._resume_path.is_file() else 0
        loaders.start_at(step)
        logger.forget_after(step)
        board = TensorBoardLogger(self.folder, "", "tensorboard", purge_step=step)

        def write(path: Path, network: FaceNetwork, epoch: int) -> None:
            self._save(path, network, loaders.spec_at(epoch), {**settings, "epoch": epoch})

        kept = KeptWeights(self.folder, write, lambda epoch: loaders.spec_at(epoch).size_px)
        curves = Curves(self.folder)
        return self._hardware.trainer(
            recipe.precision,
            max_epochs=recipe.epochs,
            gradient_clip_val=recipe.gradient_clip or None,
            callbacks=[kept, *_averaging(recipe), point, curves, wait, ProgressBar()],
            plugins=[WholeCheckpoints()],
            logger=[logger, board],
            log_every_n_steps=min(20, loaders.steps),
            num_sanity_val_steps=0,
            reload_dataloaders_every_n_epochs=1,
            enable_checkpointing=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )

    def _bare_rate(self, trainer: lightning.Trainer, network: FaceNetwork) -> float:
        """Images a second of one device that waits for no data, over the sizes of the epochs."""
        recipe = self._config.recipe
        sizes = recipe.loading(self._spec.size_px).sizes
        counts = Counter(size for epoch in range(recipe.epochs) for size in sizes.at(epoch))
        rates = [
            bare_images_per_s(
                network,
                size_px,
                recipe.batch_size,
                trainer.strategy.root_device,
                trainer.precision_plugin.forward_context(),
            )
            for size_px in counts
        ]
        return harmonic_mean(rates, list(counts.values()))

    def _finish(self, loaders: FaceDataModule, settings: Settings) -> None:
        """Renew the batch norms of the kept weights, record ranges, measure, write."""
        recipe, full_size_px = self._config.recipe, self._spec.size_px
        sizes = recipe.loading(full_size_px).sizes
        kept = load_checkpoint(
            self.folder / (BEST_WEIGHTS if recipe.keep is Keep.BEST else LAST_WEIGHTS)
        )
        network, epoch = kept.network, kept.card.provenance["epoch"]
        norms = {}
        others = set(sizes.at(epoch)) - {full_size_px}
        for size_px in (*others, full_size_px):  # which the network is left with
            renew_batch_norms(network, loaders.statistics(epoch, size_px))
            norms[size_px] = norms_of(network)
        predicted = predict(network, self._data.crops(Split.VALID, self._spec))
        truth = [sample.label for sample in self._data.samples(Split.VALID)]
        metrics = {ACCURACY: float((predicted.argmax(axis=1) == truth).mean())}
        card = self._card(self._spec, settings, metrics)
        checkpoint, ranges = Checkpoint(network, card, {}, norms), {}
        for size_px in sorted({*norms, *self._config.range_sizes}):
            seen = train_batches(self._data, replace(self._spec, size_px=size_px))
            ranges[size_px] = activation_ranges(checkpoint.at(size_px).network, seen)
        save_checkpoint(self.folder / CHECKPOINT_NAME, replace(checkpoint, ranges=ranges))

    def _save(
        self, path: Path, network: FaceNetwork, spec: PreprocessSpec, settings: Settings
    ) -> None:
        save_checkpoint(path, Checkpoint(network, self._card(spec, settings, {})))

    def _sources(self, settings: Settings) -> tuple[Source, ...]:
        """What the weights are made from: labels, teachers and their pictures, first weights."""
        labelled = Source(self._data.dataset.name, self._license)
        taught = () if self._taught is None else self._taught.sources
        first = settings["start"].get(SOURCES_KEY, [])
        return joined([labelled, *taught, *(Source(**each) for each in first)])

    def _card(
        self, spec: PreprocessSpec, settings: Settings, metrics: dict[str, float]
    ) -> ModelCard:
        license = terms([Source(**each) for each in settings[SOURCES_KEY]])
        entry = registry.architecture(self._config.architecture)
        labels, name = self._data.dataset.labels, entry.title or entry.name
        return ModelCard(labels, spec, settings, metrics, license, name)


def _averaging(recipe: Recipe) -> list[Callback]:
    callbacks: list[Callback] = []
    if recipe.ema_decay > 0:
        # An average of running variances lags behind the weights' own, so the current ones
        # are kept and renewed for each validation.
        callbacks.append(EMAWeightAveraging(decay=recipe.ema_decay, use_buffers=False))
    if recipe.early_stop_patience > 0:
        patience = recipe.early_stop_patience
        # Behind the validation, since an epoch's resume point has to hold what it counted.
        callbacks.append(
            EarlyStopping(ACCURACY, mode="max", patience=patience, check_on_train_epoch_end=False)
        )
    return callbacks
