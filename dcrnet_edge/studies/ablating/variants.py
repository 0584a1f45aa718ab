"""The rows of the paper's table 8, and the other parts that are left out or exchanged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dcrnet_edge.presets import Values

BASE_LOSS: Values = {
    "recipe": {
        "class_weights": False,
        "oversampling_power": 0.0,
        "soft_labels": False,
        "label_smoothing": 0.1,
        "progressive": [],
        "mixed_sizes": [],
        "ema_decay": 0.0,
        "schedule": "one-cycle",
        "early_stop_patience": 0,
        "keep": "last",
    },
    "range_sizes": [],
}
"""Label smoothing at one size, and the weights as they are: what every row is trained with.

Not eq. 7's weights, which have a row of their own: by those of a label with 40 images in 6,000 no
row learns enough in a few epochs to be compared. Nor an average of the weights, which after so few
steps is still half of what they began with. Valid chooses neither weights, rate nor length, which
would be others for each row.
"""

CONFUSED = (("fear", "surprise"), ("sadness", "neutral"), ("sadness", "disgust"))
"""The pairs that section 4.4 names; it says that label smoothing and augmentation reduce them."""


class Variant(StrEnum):
    """One row; the first five add up."""

    BACKBONE = "backbone"
    GAMMA = "gamma"
    LANDMARKS = "landmarks"
    CBAM = "cbam"
    FULL = "full"
    SE = "se"
    NO_ATTENTION = "no-attention"
    NO_SMOOTHING = "no-smoothing"
    WEIGHTS = "weights"
    OVERSAMPLING = "oversampling"


@dataclass(frozen=True, slots=True)
class VariantSpec:
    """What a row is.

    Attributes:
        title: for people.
        settings: laid over the preset and :data:`BASE_LOSS`.
        compared_with: the row that it differs from in one thing; None for the first.
        paper: the paper's accuracies on AffectNet-7, as fractions; empty where it has none.
    """

    title: str
    settings: Values
    compared_with: Variant | None = None
    paper: tuple[float, ...] = ()


def _network(conv_stages: bool, attention: str, residual_widths: list[int]) -> dict[str, Any]:
    parts = {"attention": attention, "residual_widths": residual_widths}
    return {"conv_stages": conv_stages, **parts}


_NO_GAMMA = {"gamma_min": 1.0, "gamma_max": 1.0}
_GAMMA = {"gamma_min": 0.6, "gamma_max": 1.4}
_NO_LANDMARKS = {"alignment": "box", "focus_strength": 0.0}
_LANDMARKS = {"alignment": "landmarks", "focus_strength": 0.5}
_PLAIN = _network(False, "none", [])
_WHOLE = {"preprocess": {**_GAMMA, **_LANDMARKS}, "network": _network(True, "cbam", [32, 64])}

VARIANTS: dict[Variant, VariantSpec] = {
    Variant.BACKBONE: VariantSpec(
        "DenseNet121, pooling and dense head",
        {"preprocess": {**_NO_GAMMA, **_NO_LANDMARKS}, "network": _PLAIN},
        paper=(0.6412,),
    ),
    Variant.GAMMA: VariantSpec(
        "+ adaptive gamma",
        {"preprocess": {**_GAMMA, **_NO_LANDMARKS}, "network": _PLAIN},
        Variant.BACKBONE,
        (0.6448,),
    ),
    Variant.LANDMARKS: VariantSpec(
        "+ landmarks (alignment and focus)",
        {"preprocess": {**_GAMMA, **_LANDMARKS}, "network": _PLAIN},
        Variant.GAMMA,
        (0.6471,),
    ),
    Variant.CBAM: VariantSpec(
        "+ CBAM with its convolution stages",
        {
            "preprocess": {**_GAMMA, **_LANDMARKS},
            "network": _network(True, "cbam", []),
        },
        Variant.LANDMARKS,
        (0.6521,),
    ),
    Variant.FULL: VariantSpec(
        "+ residual modules: the full network", _WHOLE, Variant.CBAM, (0.6540, 0.6580)
    ),
    Variant.SE: VariantSpec(
        "SE for CBAM",
        {**_WHOLE, "network": _network(True, "se", [32, 64])},
        Variant.FULL,
    ),
    Variant.NO_ATTENTION: VariantSpec(
        "without attention",
        {**_WHOLE, "network": _network(True, "none", [32, 64])},
        Variant.FULL,
    ),
    Variant.NO_SMOOTHING: VariantSpec(
        "without label smoothing", {**_WHOLE, "recipe": {"label_smoothing": 0.0}}, Variant.FULL
    ),
    Variant.WEIGHTS: VariantSpec(
        "with the weights of eq. 7", {**_WHOLE, "recipe": {"class_weights": True}}, Variant.FULL
    ),
    Variant.OVERSAMPLING: VariantSpec(
        "with oversampling (n^0.5)",
        {**_WHOLE, "recipe": {"oversampling_power": 0.5}},
        Variant.FULL,
    ),
}
