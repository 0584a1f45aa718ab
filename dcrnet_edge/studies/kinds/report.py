"""One page of all that is known of each model: accuracy, robustness, groups, latency, energy."""

from __future__ import annotations

import functools
import hashlib
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.joining.figure import JoinedFigure, Quantity
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dcrnet_edge.evaluation.rows import Rows

_MISSING = "not given"
_LETTERS = 26
"""Of a model's name in a picture's line."""
_TITLES = {
    Quantity.SIZE: "MB",
    Quantity.ACCURACY: "accuracy",
    Quantity.ROBUSTNESS: "change under corruption",
    Quantity.FAIRNESS: "groups",
    Quantity.ATTENTION: "occlusion sensitivity in mouth, eyes and brows",
    Quantity.LATENCY: "p90 latency",
    Quantity.ENERGY: "net energy",
}

Column = tuple[Quantity, str]


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Whose figures."""

    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER|FILE",
            help="Folders of studies, and files that dcrnet-bench wrote (--json); figures are"
            " joined by the hashes of the models' files.",
        ),
    ]


class JoinedReport:
    """Accuracy by robustness by groups by latency by energy, and what nobody measured."""

    summary = "What is known of each model, from studies and bench reports, on one page?"
    groups = (ReportOptions,)

    def plan(self, options: ReportOptions) -> Plan:
        """The figures of each source are a unit, so that the folder is whole by itself."""
        units, digests = [], {}
        for number, source in enumerate(options.sources, 1):
            kind, content, figures = _read(source)
            name = f"{number:02}-{kind}"
            digests[name] = hashlib.sha256(content).hexdigest()
            units.append(Unit(name, functools.partial(_write, figures)))
        return Plan({"sources": digests}, units)

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """A row a model, a column a quantity and place; what is missing is said."""
        from dcrnet_edge.studies.joining.figure import read_figures, told_apart

        figures = told_apart([each for path in answers.values() for each in read_figures(path)])
        names = _names(figures)
        columns = _columns(figures)
        cells = {
            (sha256, column): [f for f in figures if (f.sha256, _column(f)) == (sha256, column)]
            for sha256 in names
            for column in columns
        }
        fronts = _fronts(cells, names, columns)
        return Findings(
            title="What is known of each model?",
            claim="65.80 % on AffectNet-7, less than 3 % lost under corruption, groups within 3 %,"
            " 21 ms on a GPU and 68 ms on a Snapdragon 8 Gen 2, 0.12 J an inference.",
            verdict=[*(_told(*each, names) for each in fronts), _gaps(cells, names, columns)],
            tables=[
                *_tables(cells, names, columns),
                Table("Every figure", _every(figures, names)),
            ],
            charts=[_chart(*each, names) for each in fronts],
            facts={
                "models": {
                    name: {
                        "sha256": sha256,
                        "figures": [_as_json(f) for f in figures if f.sha256 == sha256],
                    }
                    for sha256, name in names.items()
                },
                "fronts": [
                    {
                        "accuracy": accuracy,
                        "latency": latency,
                        "not_dominated": [names[sha256] for sha256 in _front(points)],
                    }
                    for accuracy, latency, points in fronts
                ],
            },
        )


def _read(source: Path) -> tuple[str, bytes, list[JoinedFigure]]:
    """What kind of source it is, its content, and its figures."""
    if source.is_dir():
        return _read_study(source)
    from dcrnet_edge.studies.joining.bench_figures import bench_figures

    content, document = _json(source)
    if "host" not in document:
        raise DcrnetError(
            f"{source} is no report of dcrnet-bench: name what its --json wrote, or the folder of"
            " a study"
        )
    return "bench", content, list(bench_figures(document, source.name))


def _read_study(folder: Path) -> tuple[str, bytes, list[JoinedFigure]]:
    from dcrnet_edge.studies.joining.study_figures import JOINED
    from dcrnet_edge.studies.study_folder import StudyFolder

    name, settings = StudyFolder(folder).stated()
    if name not in JOINED:
        raise DcrnetError(
            f"{folder} holds the study {name}, which has no figures of single models: leave it out"
            f" (what is joined: {', '.join(JOINED)}, and bench reports)"
        )
    content, document = _json(folder / "result.json")
    try:
        found = list(JOINED[name](settings, document["facts"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DcrnetError(
            f"{folder}/result.json lacks {error}: make it again with dcrnet-study again {folder}"
        ) from error
    return name, content, [replace(figure, source=folder.name) for figure in found]


def _json(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        content = path.read_bytes()
        document = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise DcrnetError(
            f"{path} cannot be read as JSON ({error}): name the folder of a study that is through,"
            " or a report of dcrnet-bench"
        ) from error
    if not isinstance(document, dict):
        raise DcrnetError(f"{path} holds no JSON object: name a report of dcrnet-bench")
    return content, document


def _write(figures: Sequence[JoinedFigure], path: Path) -> None:
    from dcrnet_edge.studies.joining.figure import save_figures

    save_figures(path, figures)


def _column(figure: JoinedFigure) -> Column:
    return figure.quantity, figure.where


def _columns(figures: Sequence[JoinedFigure]) -> list[Column]:
    """In the order of the quantities; one that no model has a value of is kept, too."""
    found = dict.fromkeys(_column(figure) for figure in figures)
    return sorted(found, key=lambda column: list(Quantity).index(column[0]))


def _names(figures: Sequence[JoinedFigure]) -> dict[str, str]:
    """A name of each model, by its hash; the hash stands behind names that several have."""
    names: dict[str, str] = {}
    for figure in figures:
        names.setdefault(figure.sha256, figure.model)
    shared = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {
        sha256: f"{name} ({sha256[:8]})" if name in shared else name
        for sha256, name in names.items()
    }


def _shown(figure: JoinedFigure) -> str:
    if figure.value is None and figure.quantity is Quantity.ENERGY:
        return "not measured"  # the remark has every meter that is not there
    if figure.value is None:
        return figure.remark or _MISSING
    match figure.quantity:
        case Quantity.SIZE:
            scale, text, digits = 1.0, f"{figure.value:.2f}", 2
        case Quantity.LATENCY:
            scale, text, digits = 1.0, f"{figure.value:.2f} ms", 2
        case Quantity.ENERGY:
            scale, text, digits = 1.0, f"{figure.value:.4f} J", 4
        case Quantity.ROBUSTNESS | Quantity.FAIRNESS:
            scale, text, digits = 100.0, f"{100 * figure.value:+.2f} points", 1
        case Quantity.ACCURACY | Quantity.ATTENTION:
            scale, text, digits = 100.0, f"{100 * figure.value:.2f} %", 1
    if figure.low is not None and figure.high is not None:
        text += f" ({scale * figure.low:.{digits}f} to {scale * figure.high:.{digits}f})"
    return text


def _cell(found: Sequence[JoinedFigure]) -> str:
    return " / ".join(dict.fromkeys(map(_shown, _told_once(found)))) or _MISSING


def _told_once(found: Sequence[JoinedFigure]) -> list[JoinedFigure]:
    """Each figure with its interval, where one source has it."""
    bounded = {figure.value for figure in found if figure.low is not None}
    return [f for f in found if f.low is not None or f.value not in bounded]


_TABLES: dict[str, tuple[Quantity, ...]] = {
    "Answers": (Quantity.ACCURACY, Quantity.ROBUSTNESS, Quantity.FAIRNESS, Quantity.ATTENTION),
    "Costs": (Quantity.SIZE, Quantity.LATENCY, Quantity.ENERGY),
}


def _tables(
    cells: Mapping[tuple[str, Column], Sequence[JoinedFigure]],
    names: Mapping[str, str],
    columns: Sequence[Column],
) -> list[Table]:
    """Every quantity has a column, whether anyone measured it or not."""
    tables = []
    for caption, quantities in _TABLES.items():
        shown = [
            column
            for quantity in quantities
            for column in [c for c in columns if c[0] == quantity] or [(quantity, "")]
        ]
        rows = [["model", *(_heading(column) for column in shown)]]
        for sha256, name in names.items():
            rows.append([name, *(_cell(cells.get((sha256, column), ())) for column in shown)])
        tables.append(Table(caption, rows))
    return tables


def _heading(column: Column) -> str:
    quantity, where = column
    return f"{_TITLES[quantity]}{', ' * bool(where)}{where}"


def _every(figures: Sequence[JoinedFigure], names: Mapping[str, str]) -> Rows:
    rows = [["model", "sha256", "figure", "of", "value", "remark", "source"]]
    for figure in figures:
        rows.append(
            [
                *(names[figure.sha256], figure.sha256[:8], _TITLES[figure.quantity]),
                *(figure.where, _shown(figure), figure.remark, figure.source),
            ]
        )
    return rows


@dataclass(frozen=True, slots=True)
class _Point:
    """What one model takes and gives.

    Attributes:
        latency_ms: p90.
        accuracy: a share.
        low: of its 95 % interval; the accuracy itself where it has none.
        high: likewise.
    """

    latency_ms: float
    accuracy: float
    low: float
    high: float

    def beats(self, other: _Point) -> bool:
        """In one of the two, and is not behind in the other."""
        ahead = (other.latency_ms - self.latency_ms, self.accuracy - other.accuracy)
        return min(ahead) >= 0 and max(ahead) > 0


Points = dict[str, _Point]
"""By the hash of the model."""


def _fronts(
    cells: Mapping[tuple[str, Column], Sequence[JoinedFigure]],
    names: Mapping[str, str],
    columns: Sequence[Column],
) -> list[tuple[str, str, Points]]:
    """For each data set and machine: the models that have both an accuracy and a latency."""
    found = []
    for accuracy in (c for c in columns if c[0] is Quantity.ACCURACY):
        for latency in (c for c in columns if c[0] is Quantity.LATENCY):
            points: Points = {}
            for sha256 in names:
                rights = _told_once(cells[sha256, accuracy])
                times = [f.value for f in cells[sha256, latency] if f.value is not None]
                if rights and times and (share := rights[0].value) is not None:
                    low, high = rights[0].low, rights[0].high
                    points[sha256] = _Point(
                        times[0],
                        share,
                        share if low is None else low,
                        share if high is None else high,
                    )
            if points:
                found.append((accuracy[1], latency[1], points))
    return found


def _front(points: Points) -> list[str]:
    """The models that no other one beats in one of the two and equals in the other."""
    return [
        sha256
        for sha256, point in points.items()
        if not any(other.beats(point) for other in points.values())
    ]


def _told(accuracy: str, latency: str, points: Points, names: Mapping[str, str]) -> str:
    front = _front(points)
    text = (
        f"Accuracy ({accuracy}) against latency ({latency}): no other model is as fast and as"
        f" accurate as {', '.join(names[each] for each in front)}."
    )
    beaten = [each for each in points if each not in front]
    if beaten:
        text += f" No faster and no more accurate than one of these: {_listed(beaten, names)}."
    unsure = [
        each
        for each in beaten
        if all(o.accuracy <= points[each].high for o in points.values() if o.beats(points[each]))
    ]
    if unsure:
        text += (
            f" By the 95 % intervals these may be as accurate as those before them:"
            f" {_listed(unsure, names)}."
        )
    return text


def _listed(models: Sequence[str], names: Mapping[str, str]) -> str:
    return ", ".join(names[each] for each in models)


def _gaps(
    cells: Mapping[tuple[str, Column], Sequence[JoinedFigure]],
    names: Mapping[str, str],
    columns: Sequence[Column],
) -> str:
    """Which models lack which quantity altogether."""
    lacking = []
    for quantity in Quantity:
        its = [column for column in columns if column[0] is quantity]
        without = [
            name
            for sha256, name in names.items()
            if not any(f.value is not None for column in its for f in cells[sha256, column])
        ]
        if without:
            lacking.append(f"{_TITLES[quantity]} of {', '.join(without)}")
    return f"Not in these sources: {'; '.join(lacking)}." if lacking else "Nothing is missing."


def _chart(accuracy: str, latency: str, points: Points, names: Mapping[str, str]) -> Chart:
    front = sorted((points[e].latency_ms, points[e].accuracy) for e in _front(points))
    slowest_ms = max(point.latency_ms for point in points.values())

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        for sha256, point in points.items():
            ms, share = point.latency_ms, point.accuracy
            # Rounded figures may lie a little outside of their rounded intervals.
            reach = [[100 * max(0.0, share - point.low)], [100 * max(0.0, point.high - share)]]
            axis.errorbar([ms], [100 * share], reach, fmt="o")
            label = textwrap.fill(names[sha256].replace("$", r"\$"), _LETTERS)
            is_right = ms > slowest_ms / 2
            axis.annotate(
                label,
                (ms, 100 * share),
                (-6 if is_right else 6, 4),
                textcoords="offset points",
                ha="right" if is_right else "left",
                fontsize=8,
            )
        axis.step([ms for ms, _ in front], [100 * s for _, s in front], where="post", alpha=0.4)
        axis.margins(0.3)
        axis.set_xlim(0, 1.1 * slowest_ms)
        axis.set_xlabel("p90 latency, ms")
        axis.set_ylabel("accuracy, %")
        axis.grid(alpha=0.3)

    caption = (
        f"Accuracy ({accuracy}), with 95 % intervals, against p90 latency ({latency}); the line"
        " joins models that no other one beats."
    )
    return Chart(caption, draw)


def _as_json(figure: JoinedFigure) -> dict[str, Any]:
    from dataclasses import asdict

    return {k: v for k, v in asdict(figure).items() if k not in ("sha256", "model")}


REPORT = JoinedReport()
