"""Every command on every page is run, or its options are at least ones that the command has."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
from docs.pages import CARD, PAGES, ROOT, Block, Command, blocks, commands, inline_code
from numpy.typing import NDArray

from dcrnet_runtime.models import shipped_model

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = ("dcrnet_runtime", "dcrnet_edge", "dcrnet_export", "dcrnet_bench")
SHELL = [block for page in PAGES for block in blocks(page) if block.language == "bash"]
RUN = [block for block in SHELL if not block.needs and not block.example]
PYTHON = [block for page in PAGES for block in blocks(page) if block.language == "python"]
TIMEOUT_S = 120
RETIRED = {"--finder", "--fetch-landmarks"}
"""Options that a page tells of as names of before."""
COMPLETION = {"--install-completion", "--show-completion"}
"""Options that act on the user's shell as soon as they are read."""


def is_command(words: tuple[str, ...]) -> bool:
    """Whether it is one of the five commands, or a module of ours."""
    return words[0] in PROJECT["scripts"] or module_of(words) is not None


def module_of(words: tuple[str, ...]) -> str | None:
    """The module of ours that ``python -m`` runs."""
    if Path(words[0]).name != "python" or len(words) < 3 or words[1] != "-m":
        return None
    return words[2] if words[2].partition(".")[0] in OURS else None


def parsed_commands() -> Iterator[Command]:
    for page in (*PAGES, CARD):
        for block in blocks(page):
            if block.language == "bash":
                yield from commands(block.code, str(block))
        for code in inline_code(page):
            if code.startswith(("dcrnet-", "python -m dcrnet")) and " " in code:
                yield from commands(code, page.name)


@cache
def program(name: str) -> Any:
    """The typer command behind a script's name or a module."""
    target = PROJECT["scripts"].get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        if module == "dcrnet_edge.cli.entry":  # a function, which runs the app of that name
            module, attribute = f"dcrnet_edge.cli.{attribute}", "app"
        return typer.main.get_command(getattr(importlib.import_module(module), attribute))
    spec = find_spec(name)
    assert spec is not None, f"there is no module {name}"
    if spec.submodule_search_locations is not None:
        name = f"{name}.__main__"
    module = importlib.import_module(name)
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer()
        app.command()(module.main)
    return typer.main.get_command(app)


def subcommands(command: Any) -> dict[str, Any]:
    """A group's commands, also those that it makes when they are asked for."""
    if not hasattr(command, "commands"):
        return {}
    return {name: command.get_command(None, name) for name in command.list_commands(None)}


def with_subcommands(command: Any) -> Iterator[Any]:
    """A command, its commands, and theirs."""
    yield command
    for each in subcommands(command).values():
        yield from with_subcommands(each)


def parse(words: tuple[str, ...]) -> None:
    """Let the command read its words without running it; makes files in this folder."""
    name, arguments = words[0], list(words[1:])
    if module_of(words) is not None:
        name, arguments = words[2], list(words[3:])
    command = program(name)
    if COMPLETION & set(arguments):
        assert set(arguments) <= {option for each in command.params for option in each.opts}
        return
    if module_of(words) is not None and not arguments:
        return  # a module that the text names
    while named := subcommands(command):
        first = arguments.pop(0) if arguments and arguments[0] in named else command.default
        command = named[first]
    for word in arguments:
        file = Path(word)  # for options that want one
        if not word.startswith(("-", "$", "/")) and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    command.make_context(name, arguments)


@pytest.mark.parametrize(
    "command", [each for each in parsed_commands() if is_command(each.words)], ids=str
)
def test_its_options_exist(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parse(command.words)


def test_an_option_that_does_not_exist_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in ("dcrnet-run --nowhere 1", "dcrnet-export verify --nowhere"):
        (command,) = commands(line, "here")
        with pytest.raises(Exception, match="No such option"):
            parse(command.words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_option_that_is_named_exists(page: Path) -> None:
    names = [code.split()[0].partition("=")[0] for code in inline_code(page) if code[:2] == "--"]
    known = {"--help", *RETIRED}
    for script in PROJECT["scripts"]:
        command = program(script)
        others = map(typer.main.get_command, getattr(command, "others", {}).values())
        for each in (*others, *with_subcommands(command)):
            known.update(name for p in each.params for name in (*p.opts, *p.secondary_opts))
    assert [name for name in names if name not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_extra_that_is_named_exists(page: Path) -> None:
    extras = re.findall(r"pip install [^`\n]*(?<!onnxruntime-gpu)\[([\w,-]+)\]", page.read_text())
    named = {each for group in extras for each in group.split(",")}
    assert named <= set(PROJECT["optional-dependencies"])


@pytest.fixture(scope="session")
def shims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the five commands as this checkout has them, and its python."""
    folder = tmp_path_factory.mktemp("bin")
    for name, target in PROJECT["scripts"].items():
        module, _, attribute = target.partition(":")
        script = folder / name
        script.write_text(f"#!{sys.executable}\nfrom {module} import {attribute}\n{attribute}()\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (folder / "python").symlink_to(sys.executable)
    return folder


@pytest.fixture
def folder(tmp_path: Path, portrait: NDArray[np.uint8]) -> Path:
    """What the pages speak of: a clone's files, photos, a clip, an exported model."""
    for each in ("dcrnet_edge", "pyproject.toml", "constraints.txt"):
        (tmp_path / each).symlink_to(ROOT / each)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "tests" / "docs", tmp_path / "tests" / "docs")
    bgr = cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR)[:320, 60:380]
    (tmp_path / "photos").mkdir()
    for index in range(2):
        assert cv2.imwrite(str(tmp_path / "photos" / f"{index}.jpg"), bgr)
    clip = cv2.VideoWriter(
        str(tmp_path / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, bgr.shape[1::-1]
    )
    for _ in range(5):
        clip.write(bgr)
    clip.release()
    (tmp_path / "dcrnet-export").mkdir()
    shutil.copy(shipped_model(), tmp_path / "dcrnet-export" / "dcrnet-128-int8.onnx")
    return tmp_path


@pytest.mark.parametrize("block", RUN, ids=str)
def test_it_runs(block: Block, folder: Path, shims: Path) -> None:
    """But for ``pip``, which wants a network: its extras are checked above."""
    path = os.pathsep.join((str(shims), os.environ["PATH"]))
    python_path = os.pathsep.join(filter(None, (str(folder), *sys.path)))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"pip() {{ :; }}\n{block.code}"],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "block", [each for each in PYTHON if not (each.example or each.needs)], ids=str
)
def test_python_runs(
    block: Block,
    folder: Path,
    portrait: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    exec(compile(block.code, str(block), "exec"), {"rgb": portrait})
    assert "happiness" in capsys.readouterr().out


def test_there_is_something_to_run() -> None:
    assert len(RUN) >= 5
    assert len(PYTHON) >= 2
