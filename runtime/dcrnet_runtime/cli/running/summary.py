"""``dcrnet-run summary``: what a file of answers has in it, printed and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import note, note_logs, reported

if TYPE_CHECKING:
    import pandas as pd

    from dcrnet_runtime.answers.page import Summary

app = command_app()

_MOST_PRINTED = 20


@app.command()
@reported
def summary(
    file: Annotated[
        Path,
        typer.Argument(help="What --parquet, --csv or --jsonl wrote.", metavar="FILE"),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page; default: FILE-summary.html, beside the file.", metavar="FILE.html"
        ),
    ] = None,
    faces: Annotated[
        int,
        typer.Option(min=0, max=1000, help="Faces to show of each expression; 0 for none."),
    ] = 24,
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder where the photos and recordings are, to cut faces from again; repeat it"
            " for several. Also looked in: the file's own and the current one.",
            metavar="DIR",
        ),
    ] = None,
    blur_faces: Annotated[
        bool, typer.Option("--blur-faces", "--blur", help="Make faces unrecognisable.")
    ] = False,
    rotate: Annotated[
        int | None,
        typer.Option(
            help="How far pictures were turned when they were answered: 0, 90, 180 or 270;"
            " default: as Parquet says, else 0."
        ),
    ] = None,
) -> None:
    """Count faces by expression and source, and write a page: counts, a time line for each
    recording, and faces cut from the sources again, the least certain first.

    It reads files alone, and sends nothing.
    """
    note_logs()
    page = out or file.with_name(f"{file.name}-summary.html")
    made = _summary(file, page, faces, sources or [], is_blurred=blur_faces, rotate=rotate)
    _print(made.counts)
    shown = "faces blurred" if blur_faces else "faces recognisable"
    kept = f"{page} ({shown})" if made.cuts.pictures else str(page)
    if made.cuts.gone:
        name, why = next(iter(made.cuts.gone.items()))
        rest = len(made.cuts.gone) - 1
        more = f"; and {rest:,} more, which the page names" if rest else ""
        note(f"No face could be cut from {name}: {why}{more}. --sources DIR names their folder.")
    note(f"Kept: {kept}. Sent: nothing.")


def _summary(
    file: Path,
    page: Path,
    faces: int,
    folders: list[Path],
    *,
    is_blurred: bool,
    rotate: int | None,
) -> Summary:
    from dcrnet_runtime.answers.counts import expression_counts, least_certain
    from dcrnet_runtime.answers.cutting import Cuts, Places, cut_faces
    from dcrnet_runtime.answers.page import Summary, summary_page
    from dcrnet_runtime.answers.reading import read_answers
    from dcrnet_runtime.errors import DcrnetError
    from dcrnet_runtime.outfile import written_beside
    from dcrnet_runtime.video.capture import CaptureRequest

    for folder in folders:
        if not folder.is_dir():
            raise DcrnetError(f"`sources` {folder} is no folder: name one that there is")
    if page.resolve() == file.resolve():
        raise DcrnetError(f"`out` {page} would overwrite the answers: name another file")
    answers = read_answers(file)
    if rotate is None:
        rotate = int(answers.attrs.get("settings", {}).get("rotation_deg", 0))
    rotation_deg = CaptureRequest(rotation_deg=rotate).rotation_deg
    sheet = least_certain(answers, faces) if faces else {}
    cuts = Cuts()
    if sheet:
        places = Places(folders, [file.absolute().parent, Path.cwd()])
        rows = _joined(sheet)
        cuts = cut_faces(rows, places, rotation_deg=rotation_deg, is_blurred=is_blurred)
    made = Summary(
        file.name, answers, expression_counts(answers), sheet, cuts, wants_sheet=faces > 0
    )
    with written_beside(page) as beside:
        beside.write_text(summary_page(made), encoding="utf-8")
    return made


def _joined(sheet: dict[str, pd.DataFrame]) -> pd.DataFrame:
    import pandas

    return pandas.concat(sheet.values())


def _print(counts: pd.DataFrame) -> None:
    """A table of the sources with most faces, and of all."""
    from rich.console import Console
    from rich.table import Column, Table

    from dcrnet_runtime.printable import printable

    names = [printable(str(name)) for name in counts.columns]
    columns = [Column(name, justify="right", overflow="fold") for name in names]
    table = Table(Column("source", overflow="fold"), *columns, box=None, pad_edge=False)
    shown, total = counts.head(_MOST_PRINTED), counts.sum()
    for name, row in zip(shown.index, shown.to_numpy(), strict=True):
        table.add_row(printable(str(name)), *(f"{value:,}" for value in row))
    if rest := len(counts) - len(shown):
        others = total - shown.sum()
        table.add_row(f"{rest:,} more", *(f"{value:,}" for value in others))
    table.add_row("all", *(f"{value:,}" for value in total), style="bold")
    Console(markup=False, emoji=False).print(table)
