"""Who showed which expression when in a recording, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.outputs.pictures.palette import colour_of
from dcrnet_runtime.recognizer import UNCERTAIN

if TYPE_CHECKING:
    import pandas as pd

GAP_S = 1.0
"""A face that is not seen for longer is gone in between."""

_MOST_TRACKS = 30
_LANE_PX, _BAR_PX, _AXIS_PX = 34, 16, 24


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a face showed one expression.

    Attributes:
        start_s: of its first frame.
        end_s: of the frame behind its last one.
        label: None where the face had none.
    """

    start_s: float
    end_s: float
    label: str | None


def times_s(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Seconds of each answer: of a live source by the time of day, which goes on over restarts."""
    if rows["utc"].notna().all():
        moments = rows["utc"].to_numpy("datetime64[ms]").astype("int64") / 1000
        return moments - moments.min()
    return rows["time_s"].to_numpy()


def spans_of(rows: pd.DataFrame) -> dict[int, list[Span]]:
    """The spans of each face that is followed, in order.

    Args:
        rows: a recording's answers.
    """
    rows = rows.assign(at_s=times_s(rows))
    frames = np.unique(rows["at_s"].to_numpy())
    steps = np.diff(frames)
    step_s = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    return {
        int(track): _spans(group.sort_values("at_s"), min(step_s, GAP_S))
        for track, group in rows.groupby("track", sort=True)
    }


def _spans(rows: pd.DataFrame, step_s: float) -> list[Span]:
    at_s = rows["at_s"].to_numpy()
    labels = [None if label != label else str(label) for label in rows["label"]]
    spans: list[Span] = []
    start = 0
    for i in range(1, len(at_s) + 1):
        is_last = i == len(at_s)
        is_gap = not is_last and at_s[i] - at_s[i - 1] > GAP_S
        if is_last or is_gap or labels[i] != labels[start]:
            end_s = at_s[i - 1] + step_s if is_last or is_gap else at_s[i]
            spans.append(Span(float(at_s[start]), float(end_s), labels[start]))
            start = i
    return spans


def timeline_svg(rows: pd.DataFrame, labels: Sequence[str], name: str) -> str:
    """A lane for each face, in the colours of the expressions, over time.

    It is as wide as its place. Of more faces than a picture holds the longest seen are shown.

    Args:
        rows: a recording's answers.
        labels: the model's.
        name: of the recording.
    """
    lanes = spans_of(rows)
    longest = sorted(lanes, key=lambda track: lanes[track][0].start_s - lanes[track][-1].end_s)
    shown = sorted(longest[:_MOST_TRACKS])
    start_s = min(lanes[track][0].start_s for track in shown)
    end_s = max(max(span.end_s for span in lanes[track]) for track in shown)
    length_s = (end_s - start_s) or 1.0
    parts = []
    for lane, track in enumerate(shown):
        top = lane * _LANE_PX
        parts.append(f'<text x="0" y="{top + 12}">face {track}</text>')
        for span in lanes[track]:
            x, width = (span.start_s - start_s) / length_s, (span.end_s - span.start_s) / length_s
            red, green, blue = colour_of(span.label, labels)
            said = f"{span.label or UNCERTAIN}, {clock(span.start_s)} to {clock(span.end_s)}"
            opacity = "" if span.label else ' fill-opacity="0.35"'
            parts.append(
                f'<rect x="{x:.3%}" y="{top + 15}" width="{max(width, 5e-4):.3%}"'
                f' height="{_BAR_PX}" fill="#{red:02x}{green:02x}{blue:02x}"{opacity}>'
                f"<title>{escape(said)}</title></rect>"
            )
    bottom = len(shown) * _LANE_PX
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        text = clock(start_s + share * length_s)
        parts.append(
            f'<text x="{share:.0%}" y="{bottom + 16}" text-anchor="{anchor}">{text}</text>'
        )
    more = len(lanes) - len(shown)
    label = f"{name}: expressions over time" + (f"; {more} faces more" if more else "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{bottom + _AXIS_PX}"'
        f' role="img" aria-label="{escape(label)}" font-family="sans-serif" font-size="12"'
        f' fill="currentColor">{"".join(parts)}</svg>'
    )


def clock(seconds: float) -> str:
    """Such as 1:02:03.4 or 0:07.5."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
