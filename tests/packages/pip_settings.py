"""How pip reaches its index on this machine, for environments without settings of their own."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path


def pip_settings(*, in_root: bool) -> dict[str, str]:
    """As ``PIP_...`` variables; in a root without those that name files of this machine."""
    listed = _pip("config", "list").splitlines()
    found = {}
    for line in listed:
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2].upper().replace("-", "_")
        found[f"PIP_{key}"] = str(ast.literal_eval(value))
    if in_root:
        found = {
            key: value for key, value in found.items() if not value.startswith(("/", "file:"))
        }
    return found


def pip_cache() -> Path:
    """Where pip keeps what it has fetched."""
    folder = Path(_pip("cache", "dir").strip())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _pip(*words: str) -> str:
    command = [sys.executable, "-m", "pip", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
