"""The self-description that every checkpoint and every exported model carries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import upgrade_command
from dcrnet_runtime.preprocess.spec import PreprocessSpec

CARD_KEY = "dcrnet"
"""Where the card stands: ONNX and safetensors metadata key; ``dcrnet.json`` in a TFLite zip."""

CARD_VERSION = 1
_KEYS = {"provenance": "provenance", "metrics": "figures", "license": "terms", "name": "name"}
"""Attribute and key, which version 1 fixes."""

_TYPES = {"provenance": dict, "metrics": dict, "license": str, "name": str}

MODEL_NAME = "DCRNet (facial expression recognition, Abdeldayem et al. 2025)"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, what it wants to see, and where it comes from.

    Attributes:
        labels: class names in the order of the outputs.
        preprocess: the contract of its input.
        provenance: data sets, recipe, versions, hashes; JSON values.
        metrics: measured results by name; accuracies are fractions.
        license: of the weights and terms of the data behind them.
        name: of the architecture.
    """

    labels: tuple[str, ...]
    preprocess: PreprocessSpec
    provenance: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    license: str = ""
    name: str = MODEL_NAME

    @property
    def export(self) -> dict[str, Any]:
        """What the exporter noted; empty for a checkpoint, or where it is no such note."""
        noted = self.provenance.get("export") if isinstance(self.provenance, dict) else None
        return noted if isinstance(noted, dict) else {}

    @property
    def precision(self) -> Precision | None:
        """What an exported model computes in; None for a checkpoint and for an unknown name."""
        name = self.export.get("precision")
        return Precision(name) if name in list(Precision) else None

    @property
    def feature_count(self) -> int:
        """How many pooled features an exported model gives beside its probabilities, or 0."""
        match self.export.get("features"):
            case {"shape": [_, int(count)]} if count > 0:
                return count
        return 0

    def to_json(self) -> str:
        """One line of JSON with sorted keys."""
        return json.dumps(
            {
                "card_version": CARD_VERSION,
                "name": self.name,
                "labels": self.labels,
                "preprocess": json.loads(self.preprocess.to_json()),
                "provenance": self.provenance,
                "figures": self.metrics,
                "terms": self.license,
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read what :meth:`to_json` wrote.

        Raises:
            DcrnetError: no card, an unknown version, or a damaged one.
        """
        try:
            values = json.loads(text)
            version = values["card_version"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DcrnetError("the model's card cannot be read: export the model again") from error
        if version != CARD_VERSION:
            raise DcrnetError(
                f"the model's card has version {version}, this package knows {CARD_VERSION}:"
                f" {upgrade_command()}, or export the model again"
            )
        try:
            labels = tuple(values["labels"])
            contract = json.dumps(values["preprocess"])
            rest = {name: values[key] for name, key in _KEYS.items()}
        except (TypeError, KeyError) as error:
            raise DcrnetError(
                f"the model's card is incomplete ({error}): export the model again"
            ) from error
        is_list = isinstance(values["labels"], list)
        if not is_list or not all(labels) or len({*map(str, labels)}) < len(labels):
            raise DcrnetError(
                f"the model's labels {values['labels']} are no list of different names: the file"
                " was edited, export it again"
            )
        for name, kind in _TYPES.items():
            if not isinstance(rest[name], kind):
                raise DcrnetError(
                    f"the model's card has no {name} but {rest[name]!r:.40}: export the model"
                    " again"
                )
        return cls(labels, PreprocessSpec.from_json(contract), **rest)
