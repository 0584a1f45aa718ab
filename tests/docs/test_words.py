"""Every command that the program prints can be typed as it is printed."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from docs.pages import ROOT
from docs.test_commands import parse, program
from packaging.requirements import Requirement

from dcrnet_runtime import installation

PACKAGES = ("runtime/dcrnet_runtime", "dcrnet_edge", "export/dcrnet_export", "bench/dcrnet_bench")
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
FILE, NUMBER = "a-file.onnx", "128"
COMMAND = re.compile(
    r"\b(?P<name>dcrnet-(?:run|train|eval|export|bench)) (?P<rest>(?:(?!\bdcrnet-)[^\n])*)"
)
WORD = re.compile(r"'[^']*'|[^\s'][^\s]*")


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module but its documentation, with something in the place of each value."""
    tree = ast.parse(path.read_text())
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    documentation = {
        id(node.value)
        for parent in ast.walk(tree)
        if isinstance(parent, documented)
        for node in parent.body
        if isinstance(node, ast.Expr)
    }
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in documentation or id(node) in inner:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(map(rendered, node.values))


def rendered(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    value = ast.unparse(part)
    return NUMBER if "px" in value else f"--data {FILE}" if value == "{judged}" else FILE


def printed_commands(text: str) -> Iterator[list[str]]:
    """The commands in a text, each as far as its words belong to it."""
    for found in COMMAND.finditer(text):
        words = [found["name"]]
        for word in WORD.findall(found["rest"]):
            bare = word.rstrip(",;:).") if not word.startswith("'") else word
            if not is_part(words, bare):
                break
            words.append(bare)
            if bare != word:
                break
        if len(words) > 1:
            yield shlex.split(" ".join(words))


def is_part(words: list[str], word: str) -> bool:
    """Whether a word goes on with a command, rather than with the sentence around it."""
    if word.startswith("-") or wants_value(words):
        return True
    return word in {FILE, NUMBER, "inspect", "verify"} or word.isupper() or word.startswith("'")


def wants_value(words: list[str]) -> bool:
    """Whether the last word is an option with a value."""
    command = program(words[0])
    named = getattr(command, "commands", None)
    commands = [command] if named is None else list(named.values())
    return any(
        words[-1] in param.opts and not getattr(param, "is_flag", False)
        for each in commands
        for param in each.params
    )


PRINTED = [
    (f"{path.relative_to(ROOT)}:{line}", words)
    for path in modules()
    for line, text in texts(path)
    for words in printed_commands(text)
]


@pytest.mark.parametrize(("place", "words"), PRINTED, ids=[place for place, _ in PRINTED])
def test_a_printed_command_is_one(
    place: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if words[1:] == ["--help"]:
        return
    if "--resume" in words:  # which has the rest from the run's folder
        (tmp_path / FILE).mkdir()
        (tmp_path / FILE / "options.toml").write_text('data = "."\n')
        program(words[0]).make_context(words[0], words[1:]).close()
        return
    parse(tuple(words))


def test_the_commands_are_found() -> None:
    whole = {" ".join(words) for _, words in PRINTED}
    assert {
        f"dcrnet-train --resume --out {FILE}",
        f"dcrnet-eval {FILE} --data {FILE}",
        f"dcrnet-export {FILE} --int8",
        f"dcrnet-run --source 0 --model {FILE}",
        f"dcrnet-eval {FILE} --size 128 --data DIR",
    } <= whole
    assert [*printed_commands("say dcrnet-eval x, or dcrnet-run --nowhere: it")] == [
        ["dcrnet-run", "--nowhere"]
    ]
    with pytest.raises(Exception, match="No such option"):
        parse(("dcrnet-run", "--nowhere"))


def test_pip_is_told_by_how_this_was_installed_alone() -> None:
    """A text with ``pip install`` of its own would name an index that we may not be on.

    What is run on another machine, as ``PYTHON -m pip install``, is no text.
    """
    for path in modules():
        if path.name != "installation.py":
            written = [
                line
                for line, text in texts(path)
                if re.search(r"(?<!-m )\bpip (un)?install\b", text)
            ]
            assert written == [], path


def test_every_extra_that_is_asked_for_exists() -> None:
    named = set()
    for path in modules():
        text = path.read_text()
        named |= set(re.findall(r"(?:extra_command|require_extra)\(['\"](\w+)['\"]", text))
    assert {"serve", "mqtt", "demo", "train", "export", "inspect", "bench", "mediapipe"} <= named
    assert named <= set(EXTRAS)


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Pretends that the package was installed from somewhere."""

    class Found:
        def __init__(self, text: str | None) -> None:
            self.text = text

        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return self.text

    def pretend(values: dict[str, Any] | None) -> None:
        found = Found(None if values is None else json.dumps(values))
        monkeypatch.setattr(metadata, "distribution", lambda name: found)

    monkeypatch.setattr(installation, "_pip", lambda: ["pip"])
    monkeypatch.setattr(installation, "_SOURCE_TREE", tmp_path / "no tree")
    return pretend


def test_an_extra_is_installed_as_the_package_was(origin: Any, tmp_path: Path) -> None:
    tree = tmp_path / "a tree"
    tree.mkdir()
    wheel = tmp_path / "dcrnet_edge-1-py3-none-any.whl"
    wheel.touch()
    origin(None)
    assert installation.extra_command("serve") == "pip install 'dcrnet-edge[serve]'"
    origin({"url": tree.as_uri(), "dir_info": {"editable": True}})
    assert installation.extra_command("serve") == f"pip install -e '{tree}[serve]'"
    origin({"url": tree.as_uri(), "dir_info": {}})
    assert installation.extra_command("serve") == f"pip install '{tree}[serve]'"
    assert installation.repair_command() == (f"pip install --force-reinstall --no-deps '{tree}'")
    origin({"url": wheel.as_uri(), "archive_info": {}})
    *_, named = shlex.split(installation.extra_command("serve"))
    requirement = Requirement(named)
    assert (requirement.name, requirement.extras) == ("dcrnet-edge", {"serve"})
    assert requirement.url == wheel.as_uri()
    wheel.unlink()
    assert installation.extra_command("serve") == "pip install 'dcrnet-edge[serve]'"
    vcs = {"vcs": "git", "commit_id": "0" * 40}
    origin({"url": "https://example.org/dcrnet.git", "vcs_info": vcs})
    *_, named = shlex.split(installation.extra_command("serve"))
    assert Requirement(named).url == f"git+https://example.org/dcrnet.git@{'0' * 40}"


def test_a_tree_that_was_never_installed_is_installed(
    origin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(installation, "_SOURCE_TREE", tmp_path)
    origin(None)
    assert installation.extra_command("mqtt") == f"pip install '{tmp_path}[mqtt]'"


def test_a_clone_is_updated_where_it_lies(origin: Any, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    origin({"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    assert installation.upgrade_command() == f"git -C {tmp_path} pull"
    origin({"url": tmp_path.as_uri(), "dir_info": {}})
    pull = f"git -C {tmp_path} pull"
    assert installation.upgrade_command() == f"{pull} && pip install {tmp_path}"
    origin(None)
    assert installation.upgrade_command() == "pip install --upgrade dcrnet-edge"


def test_pip_is_that_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path(sys.executable).parent / "pip"
    monkeypatch.setattr(shutil, "which", lambda name: str(here))
    assert installation.package_command("a<5") == "pip install 'a<5'"
    monkeypatch.setattr(shutil, "which", lambda name: "/elsewhere/pip")
    assert shlex.split(installation.package_command("a<5")) == [
        *(sys.executable, "-m", "pip", "install", "a<5")
    ]
