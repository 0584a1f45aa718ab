"""The wheel and the sdist of this tree: built twice to the same bytes, and checked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from docs.pages import ROOT

TOOLS = ("twine==7.0.0", "check-wheel-contents==0.6.3")
"""What checks them, in an environment of its own."""

_LIMIT_S = 1200.0


class CheckError(Exception):
    """A check did not pass; says which, and what was said."""


@dataclass(frozen=True, slots=True)
class Distributions:
    """What one build wrote."""

    wheel: Path
    sdist: Path

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each, by name."""
        return {
            each.name: sha256(each.read_bytes()).hexdigest() for each in (self.wheel, self.sdist)
        }


def build(into: Path, tree: Path = ROOT) -> Distributions:
    """Wheel and sdist of a tree.

    Raises:
        CheckError: it cannot be built, or not to one file of each.
    """
    into.mkdir(parents=True, exist_ok=True)
    checked([sys.executable, "-m", "hatchling", "build", "-d", str(into)], cwd=tree)
    (wheel,), (sdist,) = into.glob("*.whl"), into.glob("*.tar.gz")
    return Distributions(wheel, sdist)


def copied_tree(into: Path) -> Path:
    """This tree elsewhere, with other times and permissions, and with what a use leaves behind."""
    listed = checked(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    for name in reversed(listed.split("\0")):
        if name and (ROOT / name).is_file():
            place = into / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place)
            place.chmod(0o600 | (ROOT / name).stat().st_mode & 0o100)
            os.utime(place, (time.time() - 3600.0,) * 2)
    for folder in ("dcrnet_edge", "runtime/dcrnet_runtime"):
        (into / folder / "__pycache__").mkdir()
        (into / folder / "__pycache__" / "left.cpython-311.pyc").write_bytes(b"left behind")
    return into


def built_twice(folder: Path) -> Distributions:
    """Wheel and sdist, after a second build elsewhere came to the same bytes.

    Raises:
        CheckError: it did not.
    """
    first = build(folder / "dist")
    second = build(folder / "again", copied_tree(folder / "tree"))
    if first.hashes != second.hashes:
        raise CheckError(f"two builds differ: {first.hashes} and {second.hashes}")
    shutil.rmtree(folder / "tree")
    shutil.rmtree(folder / "again")
    return first


def check(built: Distributions, folder: Path) -> dict[str, str]:
    """What ``twine`` and ``check-wheel-contents`` say of them, by the tools' versions.

    Raises:
        CheckError: one of them complains.
    """
    tools = folder / "tools"
    checked([sys.executable, "-m", "venv", "--clear", str(tools)])
    checked([str(tools / "bin/pip"), "install", "--quiet", *TOOLS])
    paths = (str(built.wheel), str(built.sdist))
    twine, contents = TOOLS
    return {
        twine: checked([str(tools / "bin/twine"), "check", "--strict", *paths]).strip(),
        contents: checked(
            [
                *(str(tools / "bin/check-wheel-contents"), "--config", "pyproject.toml"),
                str(built.wheel),
            ]
        ).strip(),
    }


def checked(command: list[str], cwd: Path = ROOT) -> str:
    """What a command prints.

    Raises:
        CheckError: it failed.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT_S,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise CheckError(f"{' '.join(command)} ended with {done.returncode}: {said}")
    return done.stdout
