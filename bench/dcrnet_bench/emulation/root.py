"""An ARM root: aarch64 Python and what the runtime needs, run here by QEMU's user emulation.

It is built once for each recipe, without root's rights, and kept in the user's cache.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.emulation.core import Core, write_cpuinfo
from dcrnet_bench.emulation.programs import require, run_program
from dcrnet_bench.emulation.recipe import Recipe, recipe
from dcrnet_runtime.cache import cache_folder
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import unwritable

COMMAND = "python -m dcrnet_bench.emulation"
"""Builds it."""

_SYSTEM_LIMIT_S = 1800.0
_WHEELS_LIMIT_S = 1800.0
_FACTS = "root.json"
_VERSION = re.compile(r"\(([^)]+)\)")
"""In a changelog's first line: ``python3.11 (3.11.2-6+deb12u9) bookworm-security``."""


@dataclass(frozen=True, slots=True)
class ArmRoot:
    """A built root.

    Attributes:
        folder: of it.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """The aarch64 interpreter."""
        return self.home / "bin" / "python3.11"

    @property
    def home(self) -> Path:
        """Python's prefix."""
        return self.folder / "system" / "usr"

    @property
    def packages(self) -> Path:
        """Where the wheels are unpacked."""
        return self.folder / "packages"

    @property
    def bytecode(self) -> Path:
        """Where the interpreter keeps what it compiled: in an emulator that takes seconds."""
        return self.folder / "bytecode"

    def prefix(self, core: Core) -> Path:
        """The root as a program on ``core`` sees it."""
        return self.folder / core


def find_root(wanted: Recipe | None = None) -> ArmRoot:
    """The root of a recipe, default: that of what is installed here.

    Raises:
        DcrnetError: it has not been built; names the command.
    """
    folder = _folder(wanted or recipe())
    if not (folder / _FACTS).is_file():
        raise DcrnetError(f"there is no ARM root of what is installed here yet: {COMMAND}")
    return ArmRoot(folder)


def build_root(tell: Callable[[str], None], wanted: Recipe | None = None) -> ArmRoot:
    """The root of a recipe; built, in a minute or two and from the network, if it is not there.

    Args:
        tell: told each step.
        wanted: default: that of what is installed here.

    Raises:
        DcrnetError: a program is missing or failed, or the cache cannot be written.
    """
    wanted = wanted or recipe()
    folder = _folder(wanted)
    if (folder / _FACTS).is_file():
        return ArmRoot(folder)
    require("mmdebstrap", "qemu-aarch64")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=folder.parent) as name:
            beside = Path(name) / "root"
            beside.mkdir()
            _build(beside, wanted, tell)
            _put(beside, folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    return ArmRoot(folder)


def _folder(wanted: Recipe) -> Path:
    return cache_folder() / "arm-roots" / wanted.key


def _build(folder: Path, wanted: Recipe, tell: Callable[[str], None]) -> None:
    tell(f"Debian {wanted.suite} for arm64: {' '.join(wanted.packages)}")
    run_program(
        [
            *("mmdebstrap", "--quiet", "--variant=extract", "--architectures=arm64"),
            f"--include={','.join(wanted.packages)}",
            *(wanted.suite, str(folder / "system")),
        ],
        what="mmdebstrap",
        limit_s=_SYSTEM_LIMIT_S,
    )
    tell(f"wheels for aarch64: {' '.join(wanted.requirements)}")
    run_program(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"),
            *("--target", str(folder / "packages"), "--only-binary=:all:"),
            *("--implementation", "cp", "--python-version", wanted.python),
            *(word for platform in wanted.platforms for word in ("--platform", platform)),
            *wanted.requirements,
        ],
        what="pip",
        limit_s=_WHEELS_LIMIT_S,
    )
    for core in Core:
        _write_prefix(folder, core)
    facts = {
        "key": wanted.key,
        "debian": _debian_versions(folder / "system"),
        "wheels": sorted(path.stem for path in (folder / "packages").glob("*.dist-info")),
    }
    (folder / _FACTS).write_text(json.dumps(facts, indent=1) + "\n")


def _write_prefix(folder: Path, core: Core) -> None:
    """The system's folders, with a ``proc`` of the core's: QEMU has one prefix for all paths."""
    prefix = folder / core
    prefix.mkdir()
    for each in (folder / "system").iterdir():
        if each.name != "proc":
            (prefix / each.name).symlink_to(Path("..") / "system" / each.name)
    write_cpuinfo(core, prefix)


def _debian_versions(system: Path) -> dict[str, str]:
    """Of the unpacked packages, by their changelogs: what is only unpacked no dpkg knows of."""
    found = {}
    for documents in sorted((system / "usr/share/doc").glob("*")):
        # That of a rebuild, changelog.Debian.arm64.gz, is the first by name.
        for changelog in sorted(documents.glob("changelog.Debian*.gz"))[:1]:
            with gzip.open(changelog, "rt", encoding="utf-8", errors="replace") as lines:
                version = _VERSION.search(lines.readline())
            if version:
                found[documents.name] = version[1]
    return found


def _put(beside: Path, folder: Path) -> None:
    """Rename it into place; another that was quicker is as good."""
    try:
        beside.rename(folder)
    except OSError:
        if not (folder / _FACTS).is_file():
            raise
        shutil.rmtree(beside, ignore_errors=True)
