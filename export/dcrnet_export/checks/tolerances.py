"""How far an artifact may be from the float network."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What each kind of artifact is held to.

    Attributes:
        fp32_difference: largest absolute difference of a probability in float32; every label
            has to be torch's.
        fp16_difference: the same in float16, where near ties may go either way.
        integer_difference: mean over faces of the largest absolute difference in int8.
        clear_agreement: the share of clear faces that int8 must give torch's label to. How good
            int8 is, only labelled images show; this and the mean find what is broken.
        accuracy_drop: fraction of accuracy that reduced precision may cost on labelled images.
        drop_bound: upper end of the drop's 95 % interval.
        golden_float: largest difference of a probability on golden inputs between machines that
            compute in float32.
        golden_fp16: the same in float16.
        golden_integer: the same in int8, where back ends round to neighbouring codes: 0.05 was
            seen between right ones, 0.39 with a kernel that saturates.
        fp32_features: largest error of a face's features by their length, in float32.
        fp16_features: the same in float16.
        integer_features: the mean of that error over faces, in int8.
    """

    fp32_difference: float = 1e-4
    fp16_difference: float = 5e-3
    integer_difference: float = 0.05
    clear_agreement: float = 0.95
    accuracy_drop: float = 0.005
    drop_bound: float = 0.010
    golden_float: float = 1e-3
    golden_fp16: float = 2e-2
    golden_integer: float = 0.15
    fp32_features: float = 1e-4
    fp16_features: float = 1e-2
    integer_features: float = 0.15

    @property
    def least_images(self) -> int:
        """Fewer images show nothing about ``drop_bound``, even where no answer changes.

        Of n answers without a change, up to 1 - 0.025^(1 / n) may change elsewhere (at 95 %).
        """
        return math.ceil(math.log(0.025) / math.log(1 - self.drop_bound))
