"""What a model file says about itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from dcrnet_export.formats.registry import FORMATS
from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
from dcrnet_runtime.backends.golden import GOLDEN_INPUTS, GOLDEN_KEY
from dcrnet_runtime.errors import DcrnetError

CHECKPOINT_FORMAT = "safetensors"
_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class Description:
    """A file and its card.

    Attributes:
        path: of the file.
        format: ``onnx``, ``tflite`` or ``safetensors``.
        size: in bytes.
        sha256: of the file.
        card: its self-description.
    """

    path: Path
    format: str
    size: int
    sha256: str
    card: ModelCard

    def to_json(self) -> dict[str, Any]:
        """As a sidecar has it, with the file's name and format."""
        return {
            "file": self.path.name,
            "format": self.format,
            "bytes": self.size,
            "sha256": self.sha256,
            "card": json.loads(self.card.to_json()),
        }

    def rows(self) -> Iterator[tuple[str, str]]:
        """Names and values for people: what it is first, how it was trained last."""
        yield "file", str(self.path)
        yield "format", self.format
        yield "size", f"{self.size / 1e6:.2f} MB"
        yield "sha256", self.sha256
        card = json.loads(self.card.to_json())
        metrics, provenance = card.pop("figures"), card.pop("provenance")
        if GOLDEN_KEY in metrics:
            metrics[GOLDEN_KEY] = f"answers to {len(GOLDEN_INPUTS)} inputs"
        export = provenance.pop("export", {})
        ordered = {key: card.pop(key) for key in ("name", "labels", "terms", "preprocess")}
        yield from _flat({**ordered, **card, "export": export, "figures": metrics})
        yield from _flat({"provenance": provenance})


def describe(path: Path) -> Description:
    """Read a file's card; the model itself is not loaded.

    Raises:
        DcrnetError: the file is missing, damaged, or has no card.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DcrnetError(
            f"{path} cannot be read ({error.strerror}): name an ONNX, TFLite or safetensors file"
        ) from error
    form, text = _card_text(path, content)
    if text is None:
        raise DcrnetError(
            f"{path} carries no dcrnet-edge card: name a file that dcrnet-train or dcrnet-export"
            " wrote"
        )
    return Description(
        path, form, len(content), sha256(content).hexdigest(), ModelCard.from_json(text)
    )


def _card_text(path: Path, content: bytes) -> tuple[str, str | None]:
    """The format and the card; ONNX, which has no mark of its own, is what nothing else is."""
    with suppress(SafetensorError), safe_open(path, "numpy") as file:
        return CHECKPOINT_FORMAT, (file.metadata() or {}).get(CARD_KEY)
    for form in reversed(FORMATS.values()):
        with suppress(ValueError):
            return form.name, form.card_text(content)
    raise DcrnetError(
        f"{path} is no whole ONNX, TFLite or safetensors file: export or copy it again"
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested names joined by dots; what is nested more than three deep stays JSON."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and name.count(".") < _DEEPEST:
            yield from _flat(value, f"{name}.")
        elif isinstance(value, Mapping) or (isinstance(value, list) and _is_nested(value)):
            yield name, json.dumps(value)
        elif isinstance(value, list):
            yield name, ", ".join(map(str, value))
        else:
            yield name, "" if value is None else str(value)


def _is_nested(values: list[Any]) -> bool:
    return any(isinstance(each, list | Mapping) for each in values)
