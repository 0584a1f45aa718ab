"""A summary as one HTML file that loads nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.answers.counts import ALL
from dcrnet_runtime.answers.cutting import SIDE_PX, Cuts
from dcrnet_runtime.answers.timeline import timeline_svg
from dcrnet_runtime.outputs.pictures.palette import colour_of
from dcrnet_runtime.recognizer import UNCERTAIN

if TYPE_CHECKING:
    import pandas as pd

MOST_SOURCES, MOST_TIMELINES, _MOST_GONE = 50, 50, 200

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3, td:first-child, li, p, figcaption { overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; } caption { text-align: left; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #8886; }
th:first-child, td:first-child { text-align: left; min-width: 9rem; max-width: 20rem; }
figure { margin: 1rem 0; }
.key span { display: inline-block; margin-right: .8rem; }
.key i, h3 i { display: inline-block; width: .8em; height: .8em; margin-right: .3em; }
.sheet { list-style: none; padding: 0; display: grid; gap: .6rem;
  grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); }
.sheet li { font-size: .75rem; line-height: 1.3; }
.sheet img, .none { display: block; width: 7rem; height: 7rem; background: #8883; }
"""


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What a page shows.

    Attributes:
        name: of the file of answers.
        answers: all of them.
        counts: by source and expression.
        sheet: the faces to show, by expression.
        cuts: their pictures.
        wants_sheet: whether faces were asked for.
    """

    name: str
    answers: pd.DataFrame
    counts: pd.DataFrame
    sheet: Mapping[str, pd.DataFrame]
    cuts: Cuts
    wants_sheet: bool = True

    @property
    def labels(self) -> list[str]:
        """The model's."""
        return list(self.answers["label"].cat.categories)

    def recordings(self) -> list[str]:
        """Sources whose faces are followed, those with most faces first."""
        followed = set(self.answers.loc[self.answers["track"] > 0, "source"])
        return [name for name in self.counts.index if name in followed]


def summary_page(summary: Summary) -> str:
    """The whole file: counts, a time line for each recording, and a contact sheet of faces."""
    faces, sources = len(summary.answers), len(summary.counts)
    body = [
        f"<h1>{escape(summary.name)}</h1>",
        f"<p>{faces:,} faces in {sources:,} sources. An expression is not a feeling, and each"
        " answer is an estimate.</p>",
        *_origin(summary.answers.attrs),
        *_counts(summary.counts),
        *_timelines(summary),
        *_sheet(summary),
        *_gone(summary.cuts.gone),
    ]
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{escape(summary.name)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>{chr(10).join(body)}</body></html>\n"
    )


def _origin(attrs: Mapping[Any, Any]) -> Iterator[str]:
    if sha256 := attrs.get("model_sha256"):
        yield f"<p>Model {escape(str(sha256))[:12]}...</p>"
    if settings := attrs.get("settings"):
        told = ", ".join(f"{name} {value}" for name, value in settings.items() if value != "")
        yield f"<p>Settings: {escape(told)}.</p>"


def _counts(counts: pd.DataFrame) -> Iterator[str]:
    yield "<h2>Faces by expression and source</h2>"
    shown, total = counts.head(MOST_SOURCES), counts.sum()
    rows = [
        (str(name), list(row)) for name, row in zip(shown.index, shown.to_numpy(), strict=True)
    ]
    if rest := len(counts) - len(shown):
        rows.append((f"{rest:,} sources more", list(total - shown.sum())))
    if len(counts) > 1:
        rows.append((ALL, list(total)))
    head = "".join(f"<th>{escape(str(name))}</th>" for name in ("source", *counts.columns))
    lines = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td>{value:,}</td>' for value in values)}</tr>"
        for name, values in rows
    )
    yield f'<div class="scroll" tabindex="0"><table><tr>{head}</tr>{lines}</table></div>'


def _timelines(summary: Summary) -> Iterator[str]:
    recordings = summary.recordings()
    if not recordings:
        return
    yield "<h2>Expressions over time</h2>"
    yield f'<p class="key">{_key(summary.labels)}</p>'
    for name in recordings[:MOST_TIMELINES]:
        rows = summary.answers[summary.answers["source"] == name]
        picture = timeline_svg(rows, summary.labels, name)
        yield f"<figure>{picture}<figcaption>{escape(name)}</figcaption></figure>"
    rest = len(recordings) - MOST_TIMELINES
    if rest > 0:
        yield f"<p>{rest:,} recordings more are not drawn.</p>"


def _key(labels: Sequence[str]) -> str:
    return "".join(f"<span>{_swatch(label, labels)}{escape(label)}</span>" for label in labels)


def _swatch(label: str, labels: Sequence[str]) -> str:
    red, green, blue = colour_of(None if label == UNCERTAIN else label, labels)
    return f'<i style="background:#{red:02x}{green:02x}{blue:02x}"></i>'


def _sheet(summary: Summary) -> Iterator[str]:
    if not summary.wants_sheet:
        return
    yield "<h2>Faces, the least certain first</h2>"
    for label, rows in summary.sheet.items():
        total = int(summary.counts[label].sum()) if label in summary.counts else len(rows)
        swatch = _swatch(label, summary.labels)
        yield f"<h3>{swatch}{escape(label)}: {len(rows):,} of {total:,}</h3>"
        shown = "".join(_face(row, summary.cuts) for row in rows.itertuples())
        yield f'<ul class="sheet">{shown}</ul>'


def _face(row: Any, cuts: Cuts) -> str:
    said = f"{row.probability:.0%}"
    place = f"{row.source}, frame {row.frame}" if row.track else str(row.source)
    picture = cuts.pictures.get(row.Index)
    if picture is None:
        shown = '<span class="none"></span>'
    else:
        data = base64.b64encode(picture).decode()
        shown = (
            f'<img alt="{escape(f"{said}: {place}")}" width="{SIDE_PX}" height="{SIDE_PX}"'
            f' loading="lazy" src="data:image/jpeg;base64,{data}">'
        )
    return f"<li>{shown}{said}<br>{escape(place)}</li>"


def _gone(gone: Mapping[str, str]) -> Iterator[str]:
    if not gone:
        return
    yield "<h2>Sources that no face could be cut from</h2>"
    named = list(gone.items())[:_MOST_GONE]
    yield f"<ul>{''.join(f'<li>{escape(name)}: {escape(why)}</li>' for name, why in named)}</ul>"
    if rest := len(gone) - len(named):
        yield f"<p>And {rest:,} more.</p>"
