"""What a trial of install lines records, and where Pythons are found."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from packages.distribution import CheckError
from packages.environments import ENVIRONMENTS, Interpreter, find_python
from packages.lines import LINES, Line, Use
from packages.records import LineRecord
from packages.shell import Said, Shell
from packages.trial import ENTER, Trial

LINE = Line("dcrnet-edge", "a-wheel", (Use("it speaks", "speak", "^hello$", "LiteRT"),))
OTHER = Line("dcrnet-edge[demo]", "a-wheel[demo]", LINE.uses)
ASKS_FACTS = "platform.machine()]))\n'"
FACTS = json.dumps(["3.99.1", "A System", "aarch64"])


@dataclass
class Scripted:
    """A shell that answers by the end of a script."""

    answers: dict[str, Said]
    scripts: list[str] = field(default_factory=list)

    def run(self, script: str) -> Said:
        self.scripts.append(script)
        for end, said in self.answers.items():
            if script.rstrip().endswith(end):
                return said
        return Said("", "", succeeded=True)


def tried(**answers: Said) -> tuple[list[LineRecord], list[str], Scripted]:
    """The records of two lines, what was told, and the shell."""
    packages = json.dumps(
        [{"name": "ai_edge_litert", "version": "2.9"}, {"name": "x", "version": "1"}]
    )
    shell = Scripted(
        {
            ASKS_FACTS: said(FACTS),
            **{"--format json": said(packages), "speak": said("hello")},
            **answers,
        }
    )
    told: list[str] = []
    trial = Trial([LINE, OTHER], "ab" * 32, is_one_environment=True)
    records = [*trial.run("an-environment", "", shell, told.append)]  # type: ignore[arg-type]
    assert {record.python for record in records} == {"3.99.1"}
    return [line for record in records for line in record.lines], told, shell


def said(stdout: str, *, succeeded: bool = True) -> Said:
    return Said(stdout, "what went wrong", succeeded)


def test_what_passed_is_recorded_with_the_versions_of_what_is_required() -> None:
    (line, other), _, _ = tried()
    assert line.passed
    assert other.passed
    assert line.packages == {"ai-edge-litert": "2.9"}
    assert [(use.what, use.back_end, use.passed) for use in line.uses] == [
        ("it speaks", "LiteRT", True)
    ]


@pytest.mark.parametrize("answer", [said("hallo"), said("hello", succeeded=False)])
def test_another_answer_or_a_failure_is_recorded_as_one_and_told(answer: Said) -> None:
    (line, _), told, _ = tried(speak=answer)
    assert not line.passed
    assert [use.passed for use in line.uses] == [False]
    assert any("what went wrong" in text for text in told)


def test_a_line_that_does_not_install_is_used_for_nothing() -> None:
    (line, other), _, shell = tried(**{"a-wheel": said("", succeeded=False)})
    assert (line.installed, line.uses, line.passed) == (False, (), False)
    assert other.passed
    assert sum(script.endswith("speak") for script in shell.scripts) == 1


def test_one_environment_is_made_for_all_or_one_for_each() -> None:
    for is_one, expected in ((True, 1), (False, 2)):
        shell = Scripted({ASKS_FACTS: said(FACTS), "--format json": said("[]")})
        trial = Trial([LINE, OTHER], "", is_one_environment=is_one)
        assert len([*trial.run("a", "", shell, lambda text: None)]) == 2  # type: ignore[arg-type]
        assert sum("-m venv" in script for script in shell.scripts) == expected


def test_a_script_ends_at_its_first_failure_and_sees_only_its_variables() -> None:
    shell = Shell((), {"PATH": os.environ["PATH"], "WORK": "here"})
    assert shell.run('echo "$WORK"').stdout == "here\n"
    failed = shell.run("false\necho on")
    assert (failed.stdout, failed.succeeded) == ("", False)
    assert not shell.run('echo "$HOME"').succeeded


def test_an_environment_is_entered_whose_script_reads_what_sh_has_not_set(tmp_path: Path) -> None:
    script = tmp_path / "env" / "bin" / "activate"
    script.parent.mkdir(parents=True)
    script.write_text('[ "$OSTYPE" = msys ] || export ENTERED=yes\n')
    shell = Shell((), {"PATH": os.environ["PATH"], "SCRATCH": str(tmp_path)})
    assert shell.run(f'{ENTER}\necho "$ENTERED"').stdout == "yes\n"
    assert not shell.run(f'{ENTER}\necho "$OTHER"').succeeded


def test_this_pythons_version_is_found_and_one_that_is_nowhere_is_not(tmp_path: Path) -> None:
    here = "{}.{}".format(*sys.version_info)
    assert find_python(here) is not None
    assert find_python("3.99") is None
    with pytest.raises(CheckError, match=r"there is no Python 3\.99 here"):
        Interpreter("3.99").open(tmp_path / "a", tmp_path)


def test_an_environment_tries_lines_that_there_are() -> None:
    known = {line.key for line in LINES}
    for environment in ENVIRONMENTS:
        assert set(environment.lines) <= known
    names = [environment.name for environment in ENVIRONMENTS]
    assert len(set(names)) == len(names)
