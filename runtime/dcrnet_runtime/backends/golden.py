"""Golden inputs: what a model must answer on every machine, and whether it does on this one.

The inputs are drawn, not stored: integer arithmetic on a hash's bytes, the same everywhere. The
exporter records in the card what the model answered to them. Drawn faces and soft blotches excite
the network as photos do; white, black and hard edges drive sums to where a kernel that saturates
(uint8 by int8 products on x86 processors without VNNI) gives itself away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256, shake_256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.errors import DcrnetError

GOLDEN_KEY = "golden"
"""Where a card's metrics hold the record."""

_DIGITS = 4
_GRID = 8
_Plane = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """A model's recorded answers to the golden inputs.

    Attributes:
        probabilities: (N, labels), to four decimals.
        tolerance: how far another machine's probabilities may lie from them.
        inputs_sha256: of :func:`golden_crops` at the model's size.
    """

    probabilities: NDArray[np.float64]
    tolerance: float
    inputs_sha256: str

    @classmethod
    def record(cls, model: Model, tolerance: float) -> Golden:
        """What the model answers on this machine."""
        crops = golden_crops(model.card.preprocess.size_px)
        answers = model.probabilities(crops).astype(np.float64)
        return cls(answers.round(_DIGITS), tolerance, inputs_digest(crops))

    @classmethod
    def of(cls, card: ModelCard) -> Golden:
        """The record in a card.

        Raises:
            DcrnetError: there is none, or it is damaged.
        """
        record = card.metrics.get(GOLDEN_KEY)
        if record is None:
            raise DcrnetError(
                "the model carries no golden answers to compare with: export it again with this"
                " version of dcrnet-export"
            )
        try:
            answers = np.array(record["probabilities"], np.float64)
            golden = cls(answers, float(record["tolerance"]), str(record["inputs_sha256"]))
        except (TypeError, ValueError, KeyError) as error:
            raise DcrnetError(
                f"the model's golden answers are damaged ({error}): export it again"
            ) from error
        if answers.shape != (len(GOLDEN_INPUTS), len(card.labels)):
            raise DcrnetError(
                f"the model's golden answers have shape {answers.shape}, expected"
                f" {(len(GOLDEN_INPUTS), len(card.labels))}: export it again"
            )
        return golden

    def with_answers(self, probabilities: NDArray[np.float64]) -> Golden:
        """The record with other answers, (N, labels)."""
        return replace(self, probabilities=probabilities.round(_DIGITS))

    def to_json(self) -> dict[str, Any]:
        """As JSON values, for a card's metrics."""
        return {
            "probabilities": self.probabilities.tolist(),
            "tolerance": self.tolerance,
            "inputs_sha256": self.inputs_sha256,
        }


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A model's answers on this machine against the recorded ones.

    Attributes:
        inputs: how many there were.
        largest: the largest absolute difference of a probability; NaN where one is no number.
        worst: name of the input that shows it.
        tolerance: what is allowed.
    """

    inputs: int
    largest: float
    worst: str
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether this machine computes the model as it was exported."""
        return self.largest <= self.tolerance

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        largest = self.largest if np.isfinite(self.largest) else None
        return {
            "passed": self.passed,
            "inputs": self.inputs,
            "largest_difference": largest,
            "worst_input": self.worst,
            "tolerance": self.tolerance,
        }


def self_test(model: Model) -> SelfTest:
    """Run the golden inputs through this machine's back end.

    Raises:
        DcrnetError: the model has no record, or one of other inputs than this version draws.
    """
    golden = Golden.of(model.card)
    crops = golden_crops(model.card.preprocess.size_px)
    if inputs_digest(crops) != golden.inputs_sha256:
        raise DcrnetError(
            "the model's golden answers are to other inputs than this version draws: install the"
            " version it was exported with, or export it again"
        )
    differences = np.abs(model.probabilities(crops) - golden.probabilities).max(axis=1)
    worst = int(differences.argmax())  # of a NaN, where there is one
    return SelfTest(
        len(crops), float(differences[worst]), list(GOLDEN_INPUTS)[worst], golden.tolerance
    )


def golden_crops(side: int) -> NDArray[np.uint8]:
    """The golden inputs at one size, (8, side, side, 3) uint8 RGB, the same on every machine."""
    planes = [draw(side) for draw in GOLDEN_INPUTS.values()]
    return np.stack([np.broadcast_to(p, (side, side, 3)) for p in planes]).astype(np.uint8)


def inputs_digest(crops: NDArray[np.uint8]) -> str:
    """SHA-256 of the inputs' bytes."""
    return sha256(np.ascontiguousarray(crops).tobytes()).hexdigest()


def _coordinates(side: int) -> tuple[_Plane, _Plane]:
    """Rows and columns of a (side, side, 1) plane, both 0..255."""
    y, x = np.mgrid[:side, :side].astype(np.int64) * 256 // side
    return y[:, :, None], x[:, :, None]


def _ellipse(side: int, x: int, y: int, width: int, height: int) -> NDArray[np.bool_]:
    """Half axes in 1/256 of the side."""
    rows, columns = _coordinates(side)
    return ((columns - x) * height) ** 2 + ((rows - y) * width) ** 2 <= (width * height) ** 2


def _face(skin: int, ground: int, mouth: tuple[int, int]) -> Callable[[int], _Plane]:
    """Eyes, brows, nose and a mouth of half axes ``mouth`` in an oval."""

    def draw(side: int) -> _Plane:
        plane = np.where(_ellipse(side, 128, 128, 100, 130), skin, ground)
        for x in (80, 176):
            plane[_ellipse(side, x, 76, 28, 5)] = skin // 4
            plane[_ellipse(side, x, 98, 22, 10)] = 240
            plane[_ellipse(side, x, 98, 9, 9)] = 20
        plane[_ellipse(side, 128, 150, 10, 16)] = skin * 7 // 8
        plane[_ellipse(side, 128, 196, *mouth)] = skin // 3
        return plane

    return draw


def _blotches(seed: bytes, channels: int) -> Callable[[int], _Plane]:
    """Bytes on a coarse grid, interpolated between."""

    def draw(side: int) -> _Plane:
        count = _GRID + 1
        content = shake_256(seed).digest(count * count * channels)
        grid = np.frombuffer(content, np.uint8).reshape(count, count, channels).astype(np.int64)
        cell, weight = np.divmod(np.arange(side) * _GRID * 256 // side, 256)
        rows = grid[cell] * (256 - weight)[:, None, None]
        rows += grid[cell + 1] * weight[:, None, None]
        plane = rows[:, cell] * (256 - weight)[None, :, None]
        plane += rows[:, cell + 1] * weight[None, :, None]
        return plane >> 16

    return draw


GOLDEN_INPUTS: dict[str, Callable[[int], _Plane]] = {
    "calm face": _face(180, 90, (40, 8)),
    "open mouth": _face(180, 40, (36, 36)),
    "dark face": _face(90, 200, (30, 12)),
    "grey blotches": _blotches(b"grey", 1),
    "coloured blotches": _blotches(b"coloured", 3),
    "white": lambda side: np.full((side, side, 1), 255),
    "half black, half white": lambda side: (_coordinates(side)[0] > 127) * 255,
    "white disc": lambda side: _ellipse(side, 128, 128, 110, 110) * 255,
}
