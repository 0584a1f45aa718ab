"""How this package was installed, and the commands that add to it."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

DISTRIBUTION = "dcrnet-edge"
_SOURCE_TREE = Path(__file__).parents[2]


def extra_command(extra: str) -> str:
    """The command that installs an extra of this package, as it was installed itself."""
    return _pip_install(*_words(extra))


def repair_command() -> str:
    """The command that installs this package again, in place of a damaged one."""
    return _pip_install("--force-reinstall", "--no-deps", *_words())


def upgrade_command() -> str:
    """The command that gets a newer version of this package from where it came."""
    folder, is_editable = _folder()
    if folder is None:
        return _pip_install("--upgrade", *_words())
    if not (folder / ".git").exists():
        return _pip_install("--upgrade", *_words())
    pull = f"git -C {shlex.quote(str(folder))} pull"
    return pull if is_editable else f"{pull} && {_pip_install(*_words())}"


def package_command(*requirements: str, options: Iterable[str] = ()) -> str:
    """The command that installs other packages.

    Args:
        requirements: such as ``opencv-python-headless<5``.
        options: of ``pip install``.
    """
    return _pip_install(*options, *requirements)


def _pip_install(*words: str) -> str:
    return shlex.join([*_pip(), "install", *words])


def _pip() -> list[str]:
    """What installs into the environment that this runs in, whether it is activated or not."""
    found = shutil.which("pip")
    if found is not None and Path(found).parent == Path(sys.executable).parent:
        return ["pip"]
    if find_spec("pip") is None and shutil.which("uv"):
        return ["uv", "pip"]
    return [sys.executable, "-m", "pip"]


def _words(extra: str = "") -> list[str]:
    """This package for ``pip install``, by name, folder or address, with an extra."""
    suffix = f"[{extra}]" if extra else ""
    folder, is_editable = _folder()
    if folder is not None:
        return [*(["-e"] if is_editable else []), f"{folder}{suffix}"]
    origin = _origin()
    address = str(origin.get("url", ""))
    if vcs := origin.get("vcs_info"):
        address = f"{vcs['vcs']}+{address}@{vcs['commit_id']}"
        if subdirectory := origin.get("subdirectory"):
            address += f"#subdirectory={subdirectory}"
    is_there = not address.startswith("file:") or _path(address).exists()
    named = f"{DISTRIBUTION}{suffix}"
    return [f"{named} @ {address}" if address and is_there else named]


def _folder() -> tuple[Path | None, bool]:
    """The folder that this package was installed from, and whether changes there take effect."""
    origin = _origin()
    if origin.get("dir_info") is None:
        is_tree = not origin and (_SOURCE_TREE / "pyproject.toml").is_file()
        return (_SOURCE_TREE, False) if is_tree else (None, False)
    folder = _path(str(origin["url"]))
    return (folder, bool(origin["dir_info"].get("editable"))) if folder.is_dir() else (None, False)


def _path(address: str) -> Path:
    return Path(unquote(urlsplit(address).path))


def _origin() -> dict[str, Any]:
    """``direct_url.json`` as PEP 610 has it; empty where the package came from an index."""
    try:
        text = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
        origin = json.loads(text or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return {}
    return origin if isinstance(origin, dict) else {}
