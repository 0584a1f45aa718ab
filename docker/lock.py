"""Writes the lock files that the images are built from, or checks them without a network.

python docker/lock.py            # resolve again, with the versions of constraints.txt
python docker/lock.py --check    # do the files agree with pyproject.toml and constraints.txt?
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHON = "3.11"
TAGS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
"""Of wheels that run on the base image, as in the Dockerfile."""

_UNFROZEN = frozenset({"pip", "setuptools", "wheel"})
"""What ``pip freeze``, and so constraints.txt, leaves out."""

_PIN = re.compile(r"([\w.-]+)==([^\s\\]+)")
_NAME = re.compile(r"[\w.-]+")
_OWN = re.compile(r"dcrnet-edge\[([\w,-]+)\]")


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file.

    Attributes:
        name: of the file, without ``.lock``.
        needs: what is asked for.
        machines: whose wheels it names.
        beside: of another lock whose packages are there already, empty for none.
    """

    name: str
    needs: tuple[str, ...]
    machines: tuple[str, ...]
    beside: str = ""

    @property
    def path(self) -> Path:
        return HERE / f"{self.name}.lock"


def needs(*extras: str) -> tuple[str, ...]:
    """What the base install and these extras ask for by pyproject.toml."""
    project = PROJECT["project"]
    found = list(project["dependencies"])
    waiting = list(extras)
    while waiting:
        for need in project["optional-dependencies"][waiting.pop()]:
            own = _OWN.match(need)
            if own:
                waiting.extend(own[1].split(","))
            else:
                found.append(need)
    return tuple(dict.fromkeys(found))


LOCKS = (
    Lock("runtime", needs("serve", "mqtt"), ("x86_64", "aarch64")),
    Lock("export", needs("serve", "mqtt", "export"), ("x86_64",), beside="runtime"),
    Lock("build", tuple(PROJECT["build-system"]["requires"]), ("x86_64",)),
)


def pins(text: str) -> dict[str, str]:
    """Version by name of the lines ``name==version``, without a build's own part (``+cpu``)."""
    lines = (_PIN.match(line) for line in text.splitlines())
    return {canonical(pin[1]): pin[2].partition("+")[0] for pin in lines if pin}


def canonical(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def complaints(lock: Lock) -> Iterator[str]:
    """What does not agree."""
    if not lock.path.is_file():
        yield f"{lock.path.name} is missing"
        return
    text = lock.path.read_text()
    locked = pins(text)
    there = pins((HERE / f"{lock.beside}.lock").read_text()) if lock.beside else {}
    for need in lock.needs:
        asked = _NAME.match(need)
        if asked and canonical(asked[0]) not in locked | there:
            yield f"{lock.path.name} lacks {need}, which pyproject.toml asks for"
    tested = pins((ROOT / "constraints.txt").read_text())
    for name, version in locked.items():
        if name not in _UNFROZEN and tested.get(name) != version:
            constrained = tested.get(name, "none")
            yield f"{lock.path.name} has {name} {version}, constraints.txt {constrained}"
    for block in re.split(r"\n(?=\S)", text.rstrip()):
        if _PIN.match(block) and "--hash=sha256:" not in block:
            yield f"{lock.path.name} has no hash of {block.split()[0]}"


def resolved(lock: Lock, machine: str) -> Iterator[tuple[str, str, str]]:
    """Name, version and SHA-256 of each wheel that pip would install for a machine."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        platforms = [word for tag in TAGS for word in ("--platform", f"{tag}_{machine}")]
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"),
                *("--ignore-installed", "--report", str(report), "--target", folder),
                *("--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON),
                *("-c", str(ROOT / "constraints.txt"), *platforms, *lock.needs),
            ],
            check=True,
        )
        installed = json.loads(report.read_text())["install"]
    for each in installed:
        facts = each["metadata"]
        yield (
            facts["name"],
            facts["version"],
            each["download_info"]["archive_info"]["hashes"]["sha256"],
        )


def write(lock: Lock) -> None:
    """Resolve a lock for all its machines and replace its file."""
    hashes: dict[tuple[str, str], set[str]] = defaultdict(set)
    there = pins((HERE / f"{lock.beside}.lock").read_text()) if lock.beside else {}
    for machine in lock.machines:
        for name, version, sha256 in resolved(lock, machine):
            if canonical(name) not in there:
                hashes[canonical(name), version].add(sha256)
    lines = [f"# Python {PYTHON}, {' and '.join(lock.machines)}: python docker/lock.py"]
    for (name, version), found in sorted(hashes.items()):
        lines.append(
            " \\\n    ".join(
                [f"{name}=={version}", *(f"--hash=sha256:{h}" for h in sorted(found))]
            )
        )
    lock.path.write_text("\n".join(lines) + "\n")


def main() -> None:
    match sys.argv[1:]:
        case []:
            for lock in LOCKS:
                write(lock)
        case ["--check"]:
            pass
        case _:
            sys.exit("usage: python docker/lock.py [--check]")
    found = [line for lock in LOCKS for line in complaints(lock)]
    if found:
        sys.exit("\n".join([*found, "mend it with: python docker/lock.py"]))


if __name__ == "__main__":
    main()
