"""The preprocessing contract: everything between a frame and the network's uint8 input."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import upgrade_command

SPEC_VERSION = 1
"""Version of the contract that this package computes; a model of another one is refused."""

ZERO_CODE = 128
"""The uint8 code that networks take for zero: mid-grey, as their padding is."""

Point = tuple[float, float]


class Alignment(StrEnum):
    """How a face is brought into the crop."""

    LANDMARKS = "landmarks"
    BOX = "box"


class Colour(StrEnum):
    """What the three channels hold."""

    LUMA = "luma"
    RGB = "rgb"


class Interpolation(StrEnum):
    """Resampling kernel of the warp into the crop."""

    LINEAR = "linear"
    CUBIC = "cubic"


class Border(StrEnum):
    """What the crop shows where it reaches past the frame."""

    FILL = "fill"
    REPLICATE = "replicate"


@dataclass(frozen=True, slots=True)
class PreprocessSpec:
    """One model's contract, in the order in which it is applied.

    Attributes:
        alignment: ``landmarks`` warps five points onto ``template`` where landmarks are known
            and falls back on the box; ``box`` never uses them.
        template: right eye, left eye, nose tip, right and left mouth corner (the subject's
            sides) as (x, y) fractions of the crop's side.
        box_scale: side of the box-only crop in multiples of the face box's longer side.
        source_px: real resolution of the training faces. A face that has more pixels across
            the crop is first averaged down to this many, so that a sharp camera looks like
            the training images.
        colour: ``luma`` replicates Rec. 601 luma to all channels, ``rgb`` keeps colour.
        size_px: side of the square crop, the network's input.
        interpolation: kernel of the warp.
        border: what stands outside the frame, ``fill`` being a constant.
        fill: the code 0..255 used by ``border`` and by the focus for what is suppressed.
        gamma_min: lower clip of the adaptive gamma (eq. 1); with ``gamma_max`` 1 it is off.
        gamma_max: upper clip of the adaptive gamma.
        focus_strength: 0 keeps the whole face, 1 replaces all but mouth, nose, eyes and
            eyebrows by ``fill`` (paper section 2.1.2); needs landmarks.
        focus_margin: how far the kept regions reach past the landmarks, as a fraction of the
            crop's side; the edge is feathered over the same distance.
        landmarks_sha256: the landmark network that the training faces were found with; empty
            where none was used. The runtime warns when it uses another one.
        version: version of this contract.
    """

    alignment: Alignment = Alignment.LANDMARKS
    template: tuple[Point, Point, Point, Point, Point] = (
        (0.310, 0.380),
        (0.690, 0.380),
        (0.500, 0.620),
        (0.350, 0.765),
        (0.650, 0.765),
    )
    box_scale: float = 1.0
    source_px: int = 48
    colour: Colour = Colour.LUMA
    size_px: int = 224
    interpolation: Interpolation = Interpolation.CUBIC
    border: Border = Border.REPLICATE
    fill: int = ZERO_CODE
    gamma_min: float = 0.6
    gamma_max: float = 1.4
    focus_strength: float = 0.0
    focus_margin: float = 0.05
    landmarks_sha256: str = ""
    version: int = SPEC_VERSION

    def __post_init__(self) -> None:
        for field, low, high in _RANGES:
            value = getattr(self, field)
            if not low <= value <= high:
                raise DcrnetError(
                    f"preprocessing field {field} is {value}, outside {low}..{high}: the model"
                    " file is damaged or was edited; export it again"
                )
        columns = list(zip(*self.template, strict=True))
        spread = max(max(column) - min(column) for column in columns)
        if spread < _LEAST_SPREAD or not all(-1 <= v <= 2 for column in columns for v in column):
            raise DcrnetError(
                f"preprocessing field template {self.template} is no face in a crop: the model"
                " file is damaged or was edited; export it again"
            )
        if self.gamma_min > self.gamma_max:
            raise DcrnetError(
                f"preprocessing field gamma_min {self.gamma_min} is above gamma_max"
                f" {self.gamma_max}: the model file is damaged or was edited; export it again"
            )

    def to_json(self) -> str:
        """The spec as one line of JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> PreprocessSpec:
        """Read what :meth:`to_json` wrote.

        Raises:
            DcrnetError: an unknown version, a missing or unknown field, or a bad value.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            version = values["version"]
        except (ValueError, TypeError, KeyError) as error:
            raise DcrnetError(
                "the model's preprocessing contract cannot be read: export the model again"
            ) from error
        if version != SPEC_VERSION:
            raise DcrnetError(
                f"the model's preprocessing contract has version {version}, this runtime knows"
                f" {SPEC_VERSION}: {upgrade_command()}, or export the model again"
            )
        return cls._from_fields(values)

    @classmethod
    def _from_fields(cls, values: dict[str, Any]) -> PreprocessSpec:
        known = {field.name for field in fields(cls)}
        if known != values.keys():
            raise DcrnetError(
                "the model's preprocessing contract has other fields than version"
                f" {SPEC_VERSION} ({', '.join(sorted(known ^ values.keys()))}): export it again"
            )
        try:
            _check_types(values)
            return cls(
                **{
                    **values,
                    "alignment": Alignment(values["alignment"]),
                    "colour": Colour(values["colour"]),
                    "interpolation": Interpolation(values["interpolation"]),
                    "border": Border(values["border"]),
                    "template": _template(values["template"]),
                }
            )
        except (ValueError, TypeError) as error:
            raise DcrnetError(
                f"the model's preprocessing contract has a bad value ({error}): export it again"
            ) from error


def _check_types(values: dict[str, Any]) -> None:
    """Refuse what JSON can hold and the computation cannot: 64.0 px, NaN, a number as a hash."""
    for field in fields(PreprocessSpec):
        value = values[field.name]
        match field.type:
            case "int":
                is_right = type(value) is int
            case "float":
                is_right = type(value) in (int, float) and math.isfinite(value)
            case "str":
                is_right = type(value) is str
            case _:
                continue
        if not is_right:
            raise ValueError(f"{field.name} is {value!r}")


def _template(points: Any) -> tuple[Point, Point, Point, Point, Point]:
    a, b, c, d, e = ((float(x), float(y)) for x, y in points)
    if not all(map(math.isfinite, (*a, *b, *c, *d, *e))):
        raise ValueError("template is not finite")
    return a, b, c, d, e


_LEAST_SPREAD = 0.1  # of the crop's side
_RANGES = (
    ("box_scale", 0.5, 4.0),
    ("source_px", 16, 1024),
    ("size_px", 32, 1024),
    ("fill", 0, 255),
    ("gamma_min", 0.1, 10.0),
    ("gamma_max", 0.1, 10.0),
    ("focus_strength", 0.0, 1.0),
    ("focus_margin", 0.0, 0.5),
)
