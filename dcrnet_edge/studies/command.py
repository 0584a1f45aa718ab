"""``dcrnet-study``: every registered study as a command of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.cli.extra import train_extra
from dcrnet_edge.studies.registry import STUDIES
from dcrnet_runtime.cli.app import PlainGroup, command_app
from dcrnet_runtime.cli.console import VersionOption, note, reported
from dcrnet_runtime.cli.option_groups import CommonOptions, with_groups

if TYPE_CHECKING:
    from dcrnet_edge.studies.findings import Findings
    from dcrnet_edge.studies.study import Study

_OPTIONS = {"size_px": "--size", "out": "--out"}


class _Studies(PlainGroup):
    """Commands of the registry beside those that are declared here."""

    def list_commands(self, ctx: Any) -> list[str]:
        firsts = dict.fromkeys(name.partition(" ")[0] for name in STUDIES.names())
        return [*super().list_commands(ctx), *firsts]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in STUDIES.names():
            return _command(cmd_name, STUDIES[cmd_name])
        if parts := [name for name in STUDIES.names() if name.startswith(f"{cmd_name} ")]:
            return _parts(cmd_name, parts)
        return super().get_command(ctx, cmd_name)


app = command_app(_Studies, is_installed=True)


@app.callback()
def main(version: VersionOption = False) -> None:
    """Ask one question about models, and answer it by figures that can be made again."""


@app.command("list")
@reported
def list_studies() -> None:
    """Name the studies."""
    from dcrnet_edge.evaluation.rows import print_rows

    print_rows([["study", "what it asks"], *([n, STUDIES[n].summary] for n in STUDIES.names())])


@app.command()
@reported
def again(
    folder: Annotated[Path, typer.Argument(help="What a study wrote with --out.")],
) -> None:
    """Make tables and pages from a study's answers, without models and images."""
    train_extra()
    from dcrnet_edge.studies.pages.origin import origin_of_answers
    from dcrnet_edge.studies.study_folder import StudyFolder

    place = StudyFolder(folder)
    name, settings = place.stated()
    with place.locked():
        findings = STUDIES[name].conclude(settings, place.answers())
        _conclude(place.root, findings, settings, origin_of_answers(place.root))


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Where a study is kept."""

    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for answers, tables and page; a killed study goes on in it."
            " Default: runs/study-NAME."
        ),
    ] = None


def _command(name: str, study: Study) -> Any:
    alone = command_app()
    _declare(alone, name, study)
    return typer.main.get_command(alone)


def _parts(first: str, names: list[str]) -> Any:
    """The studies of one first word, each by its second one."""
    together = command_app()
    for name in names:
        _declare(together, name, STUDIES[name])

    @together.callback()
    def tell() -> None:
        pass

    tell.__doc__ = " ".join(STUDIES[name].summary for name in names)
    group = typer.main.get_command(together)
    group.name = first  # what help calls it
    return group


def _declare(commands: typer.Typer, name: str, study: Study) -> None:
    words = name.replace(" ", "-")

    def run(*groups: Any) -> None:
        *own, place, _ = groups
        _conduct(name, study, place.out or Path("runs") / f"study-{words}", own)

    run.__doc__, run.__name__ = study.summary, words
    wrapped = with_groups(run, *study.groups, PlaceOptions, CommonOptions)
    commands.command(name.rpartition(" ")[2])(reported(**_OPTIONS)(wrapped))


def _conduct(name: str, study: Study, out: Path, options: list[Any]) -> None:
    train_extra()
    from dcrnet_edge.studies.pages.origin import origin_of_now
    from dcrnet_edge.studies.study_folder import StudyFolder

    plan = study.plan(*options)
    place = StudyFolder(out)
    place.begin(name, plan)
    place.work(plan, _say)
    with place.locked(waits=True):
        findings = study.conclude(plan.settings, place.answers())
        _conclude(out, findings, plan.settings, origin_of_now())


def _say(unit: str, done: int, units: int) -> None:
    if unit:
        note(f"[{done + 1}/{units}] {unit}")


def _conclude(
    out: Path, findings: Findings, settings: Mapping[str, Any], origin: Mapping[str, str]
) -> None:
    from dcrnet_edge.evaluation.rows import print_rows
    from dcrnet_edge.studies.pages.page import as_json, write_findings

    write_findings(out, findings, settings, origin)
    for table in findings.tables:
        note(table.caption)
        print_rows(table.rows)
    for sentence in findings.verdict:
        note(sentence)
    note(f"Written: {out / 'report.html'}")
    typer.echo(as_json(findings, settings, origin, indent=0))
