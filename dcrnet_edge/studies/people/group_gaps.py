"""How far groups lie apart, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.evaluation.bootstrap import RESAMPLES, Interval
from dcrnet_edge.evaluation.rows import Rows
from dcrnet_edge.studies.people.groups import large_groups

Row = Mapping[str, str]
_CONFIDENCE = "confidence"
NO_LANDMARKS = "no landmarks"
"""Of a crop in which the finder sees no face, so that it is answered as it is."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """One attribute's groups.

    Attributes:
        sentences: what they show.
        tables: captions and rows.
        facts: JSON values.
    """

    sentences: Sequence[str]
    tables: Sequence[tuple[str, Rows]]
    facts: dict[str, Any]


def accuracy_gaps(rows: Sequence[Row], attribute: str, least: int, claimed: float) -> Gaps | None:
    """Accuracy and recall by group; None where fewer than two groups are large enough.

    Args:
        rows: answers with labels.
        attribute: that tells the groups apart.
        least: images that make a group.
        claimed: the gap that the paper states, as a fraction.
    """
    groups = large_groups([row[attribute] for row in rows], least)
    if len(groups) < 2:
        return None
    right = np.array([row["label"] == row["predicted"] for row in rows], float)
    members = {group: _members(rows, attribute, group) for group in groups}
    shares = {group: float(right[its].mean()) for group, its in members.items()}
    best, worst = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
    low, high = _difference(right[members[best]], right[members[worst]])
    gap = shares[best] - shares[worst]
    sure = "surely more" if low > claimed else "surely less" if high < claimed else "not decided"
    sentence = (
        f"{100 * gap:.1f} points ({100 * low:.1f} to {100 * high:.1f}) between {best} and {worst};"
        f" {100 * claimed:.0f} points or less: {sure}."
    )
    labels = sorted({row["label"] for row in rows})
    table: Rows = [
        ["group", "images", "accuracy", "95 % interval", *(f"recall {n}" for n in labels)]
    ]
    for group, its in members.items():
        bounds = _mean_interval(right[its])
        table.append(
            [
                *(group, str(len(its)), f"{100 * shares[group]:.2f} %"),
                f"{100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}",
                *(_recall([rows[i] for i in its], label) for label in labels),
            ]
        )
    facts = {"accuracy": shares, "gap": gap, "gap_interval": [low, high]}
    return Gaps([sentence], [("accuracy", table)], facts)


def share_gaps(
    rows: Sequence[Row], attribute: str, least: int, control: str | None
) -> Gaps | None:
    """Shares of each answer by group; None where fewer than two groups are large enough.

    Args:
        rows: answers, without labels.
        attribute: that tells the groups apart.
        least: images that make a group.
        control: another attribute, whose mixture each group is brought to: shares are directly
            standardized to that of all groups together.
    """
    groups = large_groups([row[attribute] for row in rows], least)
    if len(groups) < 2:
        return None
    members = {group: _members(rows, attribute, group) for group in groups}
    strata = np.array([row[control] if control else "" for row in rows])
    weights = {group: _standard(strata, its, members) for group, its in members.items()}
    answers = sorted({row["predicted"] for row in rows})
    columns: dict[str, NDArray[np.float64]] = {
        NO_LANDMARKS: np.array([row["aligned"] == "0" for row in rows], float),
        **{a: np.array([row["predicted"] == a for row in rows], float) for a in answers},
    }
    columns = {_CONFIDENCE: _confidence(rows), **columns}
    measured = np.stack(list(columns.values()))
    found = {group: _means(measured[:, its], weights[group]) for group, its in members.items()}
    table: Rows = [["group", "images", *columns]]
    for group, its in members.items():
        table.append([group, str(len(its)), *(_percent(*each) for each in found[group])])
    gaps: dict[str, dict[str, Any]] = {}
    for number, (name, column) in enumerate(columns.items()):
        means = {group: found[group][number][0] for group in groups}
        most, fewest = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
        bounds = _difference(
            column[members[most]], column[members[fewest]], weights[most], weights[fewest]
        )
        gap = means[most] - means[fewest]
        gaps[name] = {"gap": gap, "interval": list(bounds), "most": most, "least": fewest}
    widest = max(answers, key=lambda name: gaps[name]["gap"])
    by = f" at equal {control}" if control else ""
    low, high = (100 * bound for bound in gaps[widest]["interval"])
    sentence = (
        f"answers differ most in {widest}{by}: {100 * gaps[widest]['gap']:.1f} points"
        f" ({low:.1f} to {high:.1f}) more for {gaps[widest]['most']} than for"
        f" {gaps[widest]['least']}."
    )
    caption = f"mean confidence and shares of answers{by}, with 95 % intervals"
    tables = [(caption, table), (f"widest gaps{by}", _gap_rows(gaps))]
    return Gaps([sentence], tables, _share_facts(list(columns), found, gaps))


def _confidence(rows: Sequence[Row]) -> NDArray[np.float64]:
    """The probability of each answer."""
    return np.array([max(float(row[f"p_{a}"]) for a in _probable(row)) for row in rows])


def _percent(mean: float, low: float, high: float) -> str:
    return f"{100 * mean:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _gap_rows(gaps: Mapping[str, Mapping[str, Any]]) -> Rows:
    rows = [["confidence, or share of", "largest gap", "95 % interval", "most", "least"]]
    for name, found in gaps.items():
        low, high = (100 * bound for bound in found["interval"])
        cells = [f"{100 * found['gap']:.1f} points", f"{low:.1f} to {high:.1f}"]
        rows.append([name, *cells, found["most"], found["least"]])
    return rows


def _share_facts(
    names: Sequence[str],
    found: Mapping[str, Sequence[tuple[float, float, float]]],
    gaps: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Confidence apart from shares, which add up to one."""
    by_group = {group: dict(zip(names, each, strict=True)) for group, each in found.items()}
    sure = {group: each.pop(_CONFIDENCE) for group, each in by_group.items()}
    return {
        "shares": {
            g: {n: mean for n, (mean, _, _) in each.items()} for g, each in by_group.items()
        },
        "share_intervals": {
            g: {n: [low, high] for n, (_, low, high) in each.items()}
            for g, each in by_group.items()
        },
        "gaps": {name: gap for name, gap in gaps.items() if name != _CONFIDENCE},
        "confidence": {
            g: {"mean": mean, "interval": [low, high]} for g, (mean, low, high) in sure.items()
        },
        "confidence_gap": gaps[_CONFIDENCE],
    }


def _probable(row: Row) -> list[str]:
    return [name.removeprefix("p_") for name in row if name.startswith("p_")]


def _members(rows: Sequence[Row], attribute: str, group: str) -> NDArray[np.int64]:
    return np.flatnonzero([row[attribute] == group for row in rows])


def _standard(
    strata: NDArray[np.str_], its: NDArray[np.int64], members: Mapping[str, NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Weights that give a group the mixture of strata of all groups together.

    A stratum that the group lacks is left out of its mixture.
    """
    everyone = Counter(strata[np.concatenate(list(members.values()))])
    own = Counter(strata[its])
    return np.array([everyone[stratum] / own[stratum] for stratum in strata[its]])


def _recall(rows: Sequence[Row], label: str) -> str:
    its = [row["predicted"] == label for row in rows if row["label"] == label]
    return f"{sum(its) / len(its):.2f} of {len(its)}" if its else ""


def _means(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[tuple[float, float, float]]:
    """Of (K, N) values the K weighted means, each with its 95 % percentile bootstrap bounds."""
    rng, count = np.random.default_rng(0), len(weights)
    drawn = []
    for _ in range(RESAMPLES):
        times = np.bincount(rng.integers(0, count, count), minlength=count) * weights
        drawn.append(values @ times / times.sum())
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    means = np.average(values, axis=1, weights=weights)
    return list(zip(means.tolist(), low.tolist(), high.tolist(), strict=True))


def _mean_interval(values: NDArray[np.float64]) -> Interval:
    return _bootstrap(lambda rng: float(values[rng.integers(0, len(values), len(values))].mean()))


def _difference(
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    one_weights: NDArray[np.float64] | None = None,
    other_weights: NDArray[np.float64] | None = None,
) -> Interval:
    """95 % percentile bootstrap interval of the difference of two groups' (weighted) means."""

    def draw(rng: np.random.Generator) -> float:
        means = []
        for values, weights in ((one, one_weights), (other, other_weights)):
            chosen = rng.integers(0, len(values), len(values))
            means.append(
                np.average(values[chosen], weights=None if weights is None else weights[chosen])
            )
        return float(means[0] - means[1])

    return _bootstrap(draw)


def _bootstrap(draw: Callable[[np.random.Generator], float]) -> Interval:
    rng = np.random.default_rng(0)
    low, high = np.percentile([draw(rng) for _ in range(RESAMPLES)], [2.5, 97.5])
    return float(low), float(high)
