"""What a training run does, besides the network and the preprocessing contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dcrnet_edge.data.augmentation import AugmentConfig
from dcrnet_edge.data.loader_spec import LoaderSpec, SizeSchedule
from dcrnet_edge.distillation.teaching import DistillationSpec
from dcrnet_runtime.errors import DcrnetError


class Optimiser(StrEnum):
    """``adam`` is the paper's; ``adamw`` decays convolution and dense kernels decoupled."""

    ADAM = "adam"
    ADAMW = "adamw"


class Schedule(StrEnum):
    """How the learning rate falls.

    ``plateau`` halves it when validation accuracy stalls (paper, table 2); ``one-cycle`` warms
    up over a fifth of all steps and anneals to nothing at the end.
    """

    PLATEAU = "plateau"
    ONE_CYCLE = "one-cycle"


class ComputePrecision(StrEnum):
    """What the forward and backward pass compute in; weights are always fp32."""

    FP32 = "32-true"
    BF16 = "bf16-mixed"
    FP16 = "16-mixed"


class Keep(StrEnum):
    """Which weights become the checkpoint: the best on Valid at the full size, or the last."""

    BEST = "best"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training recipe; the defaults follow the paper (section 3, table 2, AffectNet).

    Attributes:
        epochs: passes over the training split.
        progressive: (size in px, epochs) of the first epochs, at smaller inputs; the rest is
            trained and validated at the contract's size.
        mixed_sizes: smaller sizes in px that take turns with the contract's in the rest, batch
            by batch, so that the weights are at home at all of them; one given twice has two
            turns.
        batch_size: faces a step and device.
        optimiser: which one.
        learning_rate: start of ``plateau``, peak of ``one-cycle``.
        schedule: see :class:`Schedule`.
        plateau_factor: of ``plateau``.
        plateau_patience: epochs without a better validation accuracy before a cut.
        early_stop_patience: epochs without a better validation accuracy before the end; 0 never
            stops early.
        weight_decay: decoupled, of ``adamw`` alone.
        dense_l2: the loss gains this times the squared norm of the dense kernels.
        class_weights: weighted cross-entropy, w_i = N / (C n_i) (eq. 7).
        oversampling_power: see :class:`dcrnet_edge.data.order.OversampledOrder`.
        weigh_and_oversample: allow both of the two.
        soft_labels: learn the annotators' votes where there are any, not the label alone.
        teacher_temperature: that teachers' logits are divided by; 1 leaves their answers alone.
        teacher_share: of the teachers' mean answer in a labelled face's target; the rest is votes
            or label. Unlabelled faces have the teachers' alone.
        unlabelled_confidence: least mean probability of the teachers' answer to an unlabelled
            face that is learned from.
        unlabelled_per_class: unlabelled faces of one answer at most, drawn by the seed; 0 takes
            all.
        label_smoothing: share of each target spread over all classes.
        auxiliary_weight: share of the loss of a linear classifier on the backbone's features,
            which is dropped after training: behind five dropouts the deep head alone teaches
            the backbone the frequent classes only, for many epochs.
        dropout_scale: of the paper's rates 0.3 and 0.4.
        min_bn_gamma: floor of the scales (gamma) of batch norms that stand before a ReLU and a
            convolution; above 0 the exporter needs one clamp a channel instead of two.
        ema_decay: of the weights' moving average that is evaluated and kept; 0 keeps none.
        gradient_clip: norm; 0 does not clip.
        precision: autocast.
        keep: which weights are kept.
        seed: of order, augmentation, dropout and initial weights.
        augment: augmentation.
    """

    epochs: int = 50
    progressive: tuple[tuple[int, int], ...] = ()
    mixed_sizes: tuple[int, ...] = ()
    batch_size: int = 32
    optimiser: Optimiser = Optimiser.ADAM
    learning_rate: float = 1e-4
    schedule: Schedule = Schedule.PLATEAU
    plateau_factor: float = 0.5
    plateau_patience: int = 3
    early_stop_patience: int = 10
    weight_decay: float = 0.0
    dense_l2: float = 1e-3
    class_weights: bool = True
    oversampling_power: float = 0.0
    weigh_and_oversample: bool = False
    soft_labels: bool = False
    teacher_temperature: float = 1.0
    teacher_share: float = 0.7
    unlabelled_confidence: float = 0.6
    unlabelled_per_class: int = 5000
    label_smoothing: float = 0.0
    auxiliary_weight: float = 0.0
    dropout_scale: float = 1.0
    min_bn_gamma: float = 1e-3
    ema_decay: float = 0.0
    gradient_clip: float = 0.0
    precision: ComputePrecision = ComputePrecision.FP32
    keep: Keep = Keep.BEST
    seed: int = 0
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise DcrnetError(f"recipe.{name} is {value}: give a value from {low} to {high}")
        if self.class_weights and self.oversampling_power > 0 and not self.weigh_and_oversample:
            raise DcrnetError(
                "recipe.class_weights and recipe.oversampling_power both make up for rare classes:"
                " set one of them to 0, or weigh_and_oversample = true to have both"
            )
        if sum(epochs for _, epochs in self.progressive) >= self.epochs and self.progressive:
            raise DcrnetError(
                f"recipe.progressive takes all {self.epochs} epochs: leave at least one for the"
                " full size"
            )

    def loading(self, full_size_px: int, focus: tuple[float, ...] = ()) -> LoaderSpec:
        """What the run's loaders give.

        Args:
            full_size_px: side of the contract's input.
            focus: focus strengths to draw from.
        """
        return LoaderSpec(
            SizeSchedule(full_size_px, self.progressive, self.mixed_sizes),
            self.epochs,
            self.batch_size,
            self.seed,
            self.oversampling_power,
            self.augment,
            focus,
        )

    def distilling(self) -> DistillationSpec:
        """How teachers' answers become targets."""
        return DistillationSpec(
            self.teacher_temperature,
            self.teacher_share,
            self.soft_labels,
            self.unlabelled_confidence,
            self.unlabelled_per_class,
            self.seed,
        )


_RANGES = (
    ("epochs", 1, 100_000),
    ("batch_size", 2, 65_536),
    ("learning_rate", 1e-8, 10.0),
    ("plateau_factor", 0.01, 0.99),
    ("plateau_patience", 0, 100_000),
    ("early_stop_patience", 0, 100_000),
    ("weight_decay", 0.0, 10.0),
    ("dense_l2", 0.0, 10.0),
    ("oversampling_power", 0.0, 1.0),
    ("teacher_temperature", 0.1, 20.0),
    ("teacher_share", 0.0, 1.0),
    ("unlabelled_confidence", 0.0, 1.0),
    ("unlabelled_per_class", 0, 10_000_000),
    ("label_smoothing", 0.0, 0.99),
    ("auxiliary_weight", 0.0, 100.0),
    ("dropout_scale", 0.0, 2.0),
    ("min_bn_gamma", 0.0, 1.0),
    ("ema_decay", 0.0, 0.99999),
    ("gradient_clip", 0.0, 1e6),
    ("seed", 0, 2**32 - 1),
)
