"""How far groups lie apart, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.evaluation.bootstrap import numbers_of
from dcrnet_edge.evaluation.rows import Rows
from dcrnet_edge.studies.people.group_means import (
    Gap,
    GroupMeans,
    gaps_of,
    group_means,
    resamples_for,
    widest_gap,
)
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
        rows: answers with labels; people are resampled where each row has its ``subject``.
        attribute: that tells the groups apart.
        least: images that make a group.
        claimed: the gap that the paper states, as a fraction.
    """
    members = _members(rows, attribute, least)
    if len(members) < 2:
        return None
    pairs = _pairs(members)
    right = np.array([row["label"] == row["predicted"] for row in rows], float)
    even = {group: np.ones(len(its)) for group, its in members.items()}
    found = _group_means(rows, right[None], members, even, resamples_for(pairs))
    gaps = gaps_of(found, 0, pairs)
    widest = gaps[0]
    low, high = (100 * bound for bound in widest.interval)
    among = f", the widest of {pairs} pairs, which the interval allows for" if pairs > 1 else ""
    sentence = (
        f"{100 * widest.gap:.1f} points ({low:.1f} to {high:.1f}) between {widest.most} and"
        f" {widest.least}{among}; {100 * claimed:.0f} points or less: {_told(gaps, claimed)}."
    )
    labels = sorted({row["label"] for row in rows})
    table: Rows = [
        ["group", "images", "accuracy", "95 % interval", *(f"recall {n}" for n in labels)]
    ]
    for group, its in members.items():
        bounds = found[group].interval(0)
        table.append(
            [
                *(group, str(len(its)), f"{100 * found[group].means[0]:.2f} %"),
                f"{100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}",
                *(_recall([rows[i] for i in its], label) for label in labels),
            ]
        )
    facts = {
        "accuracy": {group: float(each.means[0]) for group, each in found.items()},
        "gap": widest.gap,
        "gap_interval": list(widest.interval),
        **{"most": widest.most, "least": widest.least, "looked_at": pairs},
    }
    return Gaps([sentence], [(f"accuracy{_over(rows)}", table)], facts)


def _told(gaps: Sequence[Gap], claimed: float) -> str:
    """Whether all groups lie within the claimed gap, by intervals that hold all at once.

    Args:
        gaps: of every two groups, the widest first.
        claimed: as a fraction.
    """
    beyond = [gap for gap in gaps if gap.interval[0] > claimed]
    if beyond:
        # The widest gap can be one of small groups, which is less sure than another one.
        named = f", between {beyond[0].most} and {beyond[0].least}"
        return f"surely more{named * (beyond[0] is not gaps[0])}"
    is_less = all(-claimed < gap.interval[0] and gap.interval[1] < claimed for gap in gaps)
    return "surely less" if is_less else "not decided"


def share_gaps(
    rows: Sequence[Row], attribute: str, least: int, control: str | None
) -> Gaps | None:
    """Shares of each answer by group; None where fewer than two groups are large enough.

    Intervals of gaps allow for all pairs of groups and all answers, among which the widest is
    looked for. Where a group's images are all alike they are the exact ones by its effective
    number of images or people, see :class:`GroupMeans`.

    Args:
        rows: answers, without labels; people are resampled where each row has its ``subject``.
        attribute: that tells the groups apart.
        least: images that make a group.
        control: another attribute, whose mixture each group is brought to: shares are directly
            standardized to that of all groups together.
    """
    members = _members(rows, attribute, least)
    if len(members) < 2:
        return None
    strata = np.array([row[control] if control else "" for row in rows])
    weights = {group: _standard(strata, its, members) for group, its in members.items()}
    answers = sorted({row["predicted"] for row in rows})
    columns: dict[str, NDArray[np.float64]] = {
        _CONFIDENCE: _confidence(rows),
        NO_LANDMARKS: np.array([row["aligned"] == "0" for row in rows], float),
        **{a: np.array([row["predicted"] == a for row in rows], float) for a in answers},
    }
    looked_at = _pairs(members) * len(answers)
    measured = np.stack(list(columns.values()))
    found = _group_means(rows, measured, members, weights, resamples_for(looked_at))
    table: Rows = [["group", "images", *columns]]
    for group, its in members.items():
        shown = (_percent(found[group], number) for number in range(len(columns)))
        table.append([group, str(len(its)), *shown])
    gaps = {name: widest_gap(found, n, looked_at) for n, name in enumerate(columns)}
    widest = max(answers, key=lambda name: gaps[name].gap)
    by = f" at equal {control}" if control else ""
    caption = f"mean confidence and shares of answers{by}, with 95 % intervals{_over(rows)}"
    allowing = f"widest gaps{by}; the intervals allow for {looked_at} gaps that were looked at"
    return Gaps(
        [_share_sentence(widest, by, gaps[widest], _pairs(members), len(answers))],
        [(caption, table), (allowing, _gap_rows(gaps))],
        _share_facts(list(columns), found, gaps, looked_at),
    )


def _share_sentence(answer: str, by: str, gap: Gap, pairs: int, answers: int) -> str:
    low, high = (100 * bound for bound in gap.interval)
    among = (
        f", the widest of {pairs * answers} gaps ({pairs} pair{'s' * (pairs > 1)} of groups x"
        f" {answers} answers), which the interval allows for"
    )
    return (
        f"answers differ most in {answer}{by}: {100 * gap.gap:.1f} points ({low:.1f} to"
        f" {high:.1f}) more for {gap.most} than for {gap.least}{among * (pairs * answers > 1)}."
    )


def _confidence(rows: Sequence[Row]) -> NDArray[np.float64]:
    """The probability of each answer."""
    return np.array([max(float(row[f"p_{a}"]) for a in _probable(row)) for row in rows])


def _percent(found: GroupMeans, column: int) -> str:
    low, high = (100 * bound for bound in found.interval(column))
    return f"{100 * found.means[column]:.1f} % ({low:.1f} to {high:.1f})"


def _gap_rows(gaps: Mapping[str, Gap]) -> Rows:
    rows = [["confidence, or share of", "largest gap", "95 % interval", "most", "least"]]
    for name, found in gaps.items():
        low, high = (100 * bound for bound in found.interval)
        cells = [f"{100 * found.gap:.1f} points", f"{low:.1f} to {high:.1f}"]
        rows.append([name, *cells, found.most, found.least])
    return rows


def _share_facts(
    names: Sequence[str],
    found: Mapping[str, GroupMeans],
    gaps: Mapping[str, Gap],
    looked_at: int,
) -> dict[str, Any]:
    """Confidence apart from shares, which add up to one."""
    means = {g: dict(zip(names, each.means.tolist(), strict=True)) for g, each in found.items()}
    intervals = {
        group: {name: list(each.interval(number)) for number, name in enumerate(names)}
        for group, each in found.items()
    }
    told = {name: asdict(gap) | {"interval": list(gap.interval)} for name, gap in gaps.items()}
    return {
        "confidence": {
            group: {"mean": means[group].pop(_CONFIDENCE), "interval": each.pop(_CONFIDENCE)}
            for group, each in intervals.items()
        },
        "confidence_gap": told.pop(_CONFIDENCE),
        **{"shares": means, "share_intervals": intervals, "gaps": told, "looked_at": looked_at},
    }


def _probable(row: Row) -> list[str]:
    return [name.removeprefix("p_") for name in row if name.startswith("p_")]


def _members(rows: Sequence[Row], attribute: str, least: int) -> dict[str, NDArray[np.int64]]:
    """Of each group that is large enough the numbers of its rows."""
    values = [row[attribute] for row in rows]
    return {
        group: np.flatnonzero([value == group for value in values])
        for group in large_groups(values, least)
    }


def _pairs(members: Mapping[str, NDArray[np.int64]]) -> int:
    return len(members) * (len(members) - 1) // 2


def _people(rows: Sequence[Row]) -> NDArray[np.int64] | None:
    """Numbers of the subjects; files of before have none."""
    return numbers_of([row.get("subject", "") for row in rows])


def _over(rows: Sequence[Row]) -> str:
    return "" if _people(rows) is None else ", intervals over people"


def _group_means(
    rows: Sequence[Row],
    columns: NDArray[np.float64],
    members: Mapping[str, NDArray[np.int64]],
    weights: Mapping[str, NDArray[np.float64]],
    resamples: int,
) -> dict[str, GroupMeans]:
    """Each group's means of (K, N) columns; groups are resampled one by one."""
    people = _people(rows)
    units = np.arange(len(rows)) if people is None else people
    rng = np.random.default_rng(0)
    return {
        group: group_means(columns[:, its], weights[group], units[its], resamples, rng)
        for group, its in members.items()
    }


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
