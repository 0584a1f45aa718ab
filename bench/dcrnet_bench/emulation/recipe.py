"""What an ARM root is made of, so that the same things make the same root."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from importlib import metadata

_DISTRIBUTION = "dcrnet-edge"
_EXTRA = re.compile(r"\bextra\s*==")
_NAME = re.compile(r"[\w.-]+")
_REVISION = 1
"""Counts changes of how a root is laid out."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Debian's arm64 packages and the wheels for them.

    Attributes:
        suite: Debian's release; its glibc must be new enough for the wheels.
        packages: Debian's, without their maintainer scripts.
        python: version of the interpreter among them.
        platforms: of wheels that run on that release.
        requirements: what the base install needs.
    """

    suite: str
    packages: tuple[str, ...]
    python: str
    platforms: tuple[str, ...]
    requirements: tuple[str, ...]

    @property
    def key(self) -> str:
        """Hash of all that goes in."""
        content = json.dumps([_REVISION, asdict(self)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def recipe() -> Recipe:
    """The root that runs what is installed here."""
    return Recipe(
        suite="bookworm",
        packages=("python3.11", "libstdc++6", "libgcc-s1", "libgomp1"),
        python="3.11",
        platforms=tuple(
            f"{name}_aarch64"
            for name in ("manylinux_2_28", "manylinux_2_27", "manylinux2014", "manylinux_2_17")
        ),
        requirements=requirements(),
    )


def requirements() -> tuple[str, ...]:
    """What the base install needs, each in the version that is here.

    So answers differ by the processor alone.
    """
    found = set()
    for line in metadata.requires(_DISTRIBUTION) or ():
        needed, _, marker = line.partition(";")
        extra = _EXTRA.search(marker)
        if extra is None:
            found.add(_as_here(needed.strip()))
    return tuple(sorted(found))


def _as_here(needed: str) -> str:
    name = _NAME.match(needed)
    try:
        return f"{name[0]}=={metadata.version(name[0])}" if name else needed
    except metadata.PackageNotFoundError:
        return needed
