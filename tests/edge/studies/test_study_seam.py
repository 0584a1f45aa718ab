"""A study added from outside: one object and one registration, and it is a command."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from matplotlib.figure import Figure
from typer.testing import CliRunner, Result

from dcrnet_edge.studies import registry
from dcrnet_edge.studies.command import app
from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.version import __version__

HOSTILE = "</script><b>&bold"


@dataclass(frozen=True, slots=True)
class DiceOptions:
    sides: Annotated[int, typer.Option(min=2)] = 6
    fail_at: Annotated[str, typer.Option()] = ""


class Dice:
    """Counts its throws."""

    summary = "Is a die fair?"
    groups = (DiceOptions,)

    def __init__(self) -> None:
        self.done: list[str] = []

    def plan(self, options: DiceOptions) -> Plan:
        def unit(name: str) -> Unit:
            def write(path: Path) -> None:
                if name == options.fail_at:
                    raise DcrnetError("the die has fallen off the table")
                self.done.append(name)
                path.write_text("throw\n3\n")

            return Unit(name, write)

        if options.sides > 20:
            raise DcrnetError("no die has so many `sides`")
        return Plan({"sides": options.sides}, [unit("one"), unit("two")])

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        throws = [int(path.read_text().split()[1]) for path in answers.values()]

        def draw(figure: Figure) -> None:
            figure.subplots().plot(throws)

        return Findings(
            title="Is a die fair?",
            claim="it says nothing.",
            verdict=[f"Mean {sum(throws) / len(throws):.1f} of {settings['sides']} sides."],
            tables=[Table(HOSTILE, [["throw"], *([str(throw)] for throw in throws)])],
            charts=[Chart(HOSTILE, draw)],
            facts={"throws": throws, "nothing": float("nan")},
        )


@pytest.fixture
def dice() -> Iterator[Dice]:
    study = Dice()
    registry.register("dice", study)
    yield study
    registry.STUDIES._entries.pop("dice")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_it_is_listed_and_has_its_options(dice: Dice) -> None:
    assert "Is a die fair?" in run("list").stdout
    assert "--sides" in run("dice", "--help").stdout


def test_studies_of_one_first_word_are_commands_of_one(dice: Dice, tmp_path: Path) -> None:
    for name in ("craps roll", "craps pass"):
        registry.register(name, dice)
    try:
        assert "--sides" in run("craps", "roll", "--help").stdout
        assert run("craps", "pass", "--out", tmp_path).exit_code == 0
        assert json.loads((tmp_path / "study.json").read_text())["study"] == "craps pass"
        assert run("again", tmp_path).exit_code == 0
        other = run("craps", "roll", "--out", tmp_path)
        assert "holds the study craps pass" in other.stderr
        assert "│ craps " in run("--help").stdout  # a name of its own in the table
        unknown = run("craps", "fold")
        assert unknown.exit_code == 2
        assert "fold" in unknown.stderr
    finally:
        for name in ("craps roll", "craps pass"):
            registry.STUDIES._entries.pop(name)


def test_it_writes_page_tables_and_json(dice: Dice, tmp_path: Path) -> None:
    result = run("dice", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["facts"] == {"throws": [3, 3], "nothing": None}
    assert last["verdict"] == ["Mean 3.0 of 6 sides."]
    assert json.loads((tmp_path / "result.json").read_text()) == last
    assert last["tables"] == [{"caption": HOSTILE, "rows": [["throw"], ["3"], ["3"]]}]
    assert "| throw |\n| --- |\n| 3 |\n| 3 |" in (tmp_path / "table.md").read_text()
    page = (tmp_path / "report.html").read_text()
    assert "<svg viewBox=" in page
    assert "Mean 3.0 of 6 sides." in page
    assert "<b>" not in page
    assert "http://" not in page.replace("http://www.w3.org/", "")


def test_a_cut_off_study_goes_on(dice: Dice, tmp_path: Path) -> None:
    cut = run("dice", "--out", tmp_path, "--fail-at", "two")
    assert cut.exit_code == 2
    assert "the die has fallen off the table" in cut.stderr
    early = run("again", tmp_path)
    assert early.exit_code == 2
    assert "1 of 2 units" in early.stderr
    assert "two is the first" in early.stderr
    assert run("dice", "--out", tmp_path).exit_code == 0
    assert dice.done == ["one", "two"]


def test_its_tables_are_made_again_from_the_answers(dice: Dice, tmp_path: Path) -> None:
    run("dice", "--out", tmp_path)
    before = (tmp_path / "table.md").read_text()
    (tmp_path / "answers" / "two.csv").write_text("throw\n5\n")
    assert run("again", tmp_path).exit_code == 0
    after = before.replace("3.0", "4.0").replace("| 3 |\n\n", "| 5 |\n\n")
    assert (tmp_path / "table.md").read_text() == after
    assert len(dice.done) == 2


def test_results_name_the_command_of_their_answers_without_private_folders(
    dice: Dice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that they can be given to others; ``again`` changes neither command nor date."""
    out = tmp_path / "kept" / "dice"
    options = ["dice", "--out", str(out), "--sides", "8"]
    monkeypatch.setattr(sys, "argv", ["/opt/me/bin/dcrnet-study", *options])
    assert run(*options).exit_code == 0
    files = [out / name for name in ("result.json", "report.html", "table.md")]
    first = json.loads(files[0].read_text())["origin"]
    assert first["command"] == "dcrnet-study dice --out dice --sides 8"
    assert {"date", "machine"} < set(first)
    assert first["dcrnet-edge"] == __version__
    assert [path.name for path in files if str(tmp_path) in path.read_text()] == []
    older = files[0].read_text().replace(first["date"], "2020-02-02")
    files[0].write_text(older)
    monkeypatch.setattr(sys, "argv", ["dcrnet-study", "again", str(out)])
    assert run("again", out).exit_code == 0
    assert json.loads(files[0].read_text())["origin"] == {**first, "date": "2020-02-02"}
    files[0].unlink()
    assert run("again", out).exit_code == 0
    assert json.loads(files[0].read_text())["origin"]["command"] == "dcrnet-study again dice"


def test_answers_by_other_settings_are_refused(dice: Dice, tmp_path: Path) -> None:
    run("dice", "--out", tmp_path)
    other = run("dice", "--out", tmp_path, "--sides", 8)
    assert other.exit_code == 2
    assert "other settings (sides)" in other.stderr
    assert "--out" in other.stderr


def test_what_is_no_study(dice: Dice, tmp_path: Path) -> None:
    assert "holds no study" in run("again", tmp_path).stderr
    refused = run("dice", "--out", tmp_path / "new", "--sides", 21)
    assert "no die has so many --sides" in refused.stderr
    assert not (tmp_path / "new").exists()
