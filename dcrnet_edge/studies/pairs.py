"""Several models' answers to the same images, compared two by two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from dcrnet_edge.evaluation.bootstrap import subject_numbers
from dcrnet_edge.evaluation.comparison import Comparison, compare
from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_edge.evaluation.rows import Rows

LEVEL = 0.05
"""Of all tests of one family together."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models.

    Attributes:
        first: name of the one.
        second: name of the other.
        comparison: on the images of both.
        p_holm: McNemar's exact p-value after Holm's correction for all pairs (Holm 1979).
        has_subjects: whether it is known who is shown, so that the interval is over people.
    """

    first: str
    second: str
    comparison: Comparison
    p_holm: float
    has_subjects: bool = False

    @property
    def differs(self) -> bool:
        """Whether the family of tests says so at :data:`LEVEL`.

        The tests take images for independent: where it is known who is shown, the interval has to
        leave out 0, too.
        """
        low, high = self.comparison.interval
        return self.p_holm < LEVEL and not (self.has_subjects and low <= 0 <= high)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "first": self.first,
            "second": self.second,
            "p_holm": self.p_holm,
            **asdict(self.comparison),
        }


def compared(answers: Mapping[str, Predictions]) -> list[Pair]:
    """Every two models.

    Raises:
        DcrnetError: two were not asked about the same images.
    """
    from statsmodels.stats.multitest import multipletests

    found = [
        (first, second, compare(answers[first], answers[second]))
        for first, second in combinations(answers, 2)
    ]
    if not found:
        return []
    p_values = [comparison.p_value for *_, comparison in found]
    corrected = multipletests(p_values, alpha=LEVEL, method="holm")[1]
    are_known = [subject_numbers(answers[first]) is not None for first, *_ in found]
    return [
        Pair(*each, float(p), is_known)
        for each, p, is_known in zip(found, corrected, are_known, strict=True)
    ]


def pair_rows(pairs: list[Pair]) -> Rows:
    """One row a pair."""
    rows = [
        [
            *("first", "second", "difference", "95 % interval"),
            *("only first", "only second", "McNemar p (exact)", "p after Holm"),
        ]
    ]
    for pair in pairs:
        found = pair.comparison
        low, high = (100 * bound for bound in found.interval)
        rows.append(
            [
                *(pair.first, pair.second, f"{100 * found.difference:+.2f} points"),
                *(f"{low:+.2f} to {high:+.2f}", str(found.only_first), str(found.only_second)),
                *(f"{found.p_value:.3g}", f"{pair.p_holm:.3g}"),
            ]
        )
    return rows
