"""What a study found, before it is a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dcrnet_edge.evaluation.rows import Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Table:
    """Figures under a caption.

    Attributes:
        caption: what they are.
        rows: the header, then the rows.
    """

    caption: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture under a caption.

    Attributes:
        caption: what it shows, for those who cannot see it, too.
        draw: on an empty figure.
        size_in: width and height in inches.
        shows_data: whether it has single faces of the data set, which are for those who have that.
    """

    caption: str
    draw: Callable[[Figure], None]
    size_in: tuple[float, float] = (7.0, 4.0)
    shows_data: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What a study found.

    Attributes:
        title: the question.
        verdict: its answer in plain sentences, favourable or not.
        claim: what the paper says about it; empty where it is silent.
        tables: the figures.
        charts: the same to look at.
        facts: every figure at full precision, as JSON values.
    """

    title: str
    verdict: Sequence[str]
    claim: str = ""
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
