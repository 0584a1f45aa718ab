"""Findings as a page, as Markdown and as JSON."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dcrnet_edge.evaluation.rows import markdown
from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_runtime.outfile import written_beside

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff;
       max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.claim { border-left: 4px solid #8b949e; padding-left: .8rem; color: #4b535d; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .7rem; border-bottom: 1px solid #d0d7de;
         white-space: nowrap; }
th:first-child, td:first-child { white-space: normal; min-width: 7rem; max-width: 16rem; }
figure { margin: 1rem 0; } svg { width: 100%; max-width: 44rem; height: auto; }
details pre { overflow-x: auto; font-size: .8rem; }
"""


RESULT = "result.json"
"""The file of everything that was found."""


def write_findings(
    folder: Path, findings: Findings, settings: Mapping[str, Any], origin: Mapping[str, str]
) -> None:
    """Write ``report.html``, ``table.md`` and ``result.json`` into ``folder``.

    Args:
        folder: of the study.
        findings: what was found.
        settings: what the answers depend on.
        origin: command, date, machine and versions.
    """
    texts = {
        "report.html": _page(findings, settings, origin),
        "table.md": _tables(findings, origin),
        RESULT: as_json(findings, settings, origin) + "\n",
    }
    for name, text in texts.items():
        with written_beside(folder / name) as beside:
            beside.write_text(text)


def as_json(
    findings: Findings, settings: Mapping[str, Any], origin: Mapping[str, str], *, indent: int = 2
) -> str:
    """The findings' one JSON object; NaN and infinities become null."""
    document = {
        "schema": 1,
        "title": findings.title,
        "claim": findings.claim,
        "verdict": list(findings.verdict),
        "tables": [asdict(table) for table in findings.tables],
        "facts": _finite(findings.facts),
        "settings": dict(settings),
        "origin": dict(origin),
    }
    return json.dumps(document, indent=indent or None, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    is_number = isinstance(value, float) and not float("-inf") < value < float("inf")
    return None if is_number else value


def _tables(findings: Findings, origin: Mapping[str, str]) -> str:
    parts = [f"# {findings.title}", *findings.verdict]
    if findings.claim:
        parts.append(f"The paper: {findings.claim}")
    for table in findings.tables:
        parts += [f"**{table.caption}**", markdown(table.rows).rstrip()]
    parts.append(_origin(origin))
    return "\n\n".join(parts) + "\n"


def _origin(origin: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in origin.items()) + "."


def _page(findings: Findings, settings: Mapping[str, Any], origin: Mapping[str, str]) -> str:
    claim = f'<p class="claim">The paper: {html.escape(findings.claim)}</p>'
    parts = [
        f"<h1>{html.escape(findings.title)}</h1>",
        *(f"<p>{html.escape(sentence)}</p>" for sentence in findings.verdict),
        claim if findings.claim else "",
        *(_figure(chart) for chart in findings.charts),
        *(_table(table) for table in findings.tables),
        f"<h2>How it was made</h2><p>{html.escape(_origin(origin))}</p>",
        "<details><summary>Settings</summary><pre>"
        + html.escape(json.dumps(settings, indent=2))
        + "</pre></details>",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(findings.title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body></html>\n"
    )


def _table(table: Table) -> str:
    header, *rows = table.rows
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<h2>{html.escape(table.caption)}</h2><div class="scroll"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _figure(chart: Chart) -> str:
    caption = html.escape(chart.caption)
    kind = ' class="data"' if chart.shows_data else ""
    return f"<figure{kind}>{_svg(chart)}<figcaption>{caption}</figcaption></figure>"


def _svg(chart: Chart) -> str:
    """The chart as an SVG element that takes the page's width and draws the same bytes again."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": chart.caption}):
        figure = Figure(figsize=chart.size_in, layout="constrained")
        chart.draw(figure)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    element = drawn.getvalue()
    element = re.sub(r"<metadata>.*?</metadata>", "", element[element.index("<svg") :], flags=re.S)
    label = html.escape(chart.caption, quote=True)
    return re.sub(r"^<svg[^>]*?(viewBox=\"[^\"]*\")[^>]*>", _opening(label), element, count=1)


def _opening(label: str) -> str:
    return (
        rf'<svg \1 role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg"'
        ' xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
