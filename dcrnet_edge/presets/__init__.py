"""Settings that come with the package, one TOML file each."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from dcrnet_runtime.errors import DcrnetError

Values = dict[str, Any]

_FOLDER = Path(__file__).parent


def preset_names() -> tuple[str, ...]:
    """The presets that come with the package."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def preset(name: str) -> Values:
    """The settings called ``name``.

    Raises:
        DcrnetError: there are none.
    """
    if name not in preset_names():
        raise DcrnetError(f"`preset` {name} is unknown: choose {', '.join(preset_names())}")
    return read_toml(_FOLDER / f"{name}.toml")


def read_toml(path: Path) -> Values:
    """The settings in a file.

    Raises:
        DcrnetError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise DcrnetError(f"settings file {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DcrnetError(f"settings file {path} is no TOML ({error}): mend that line") from error
