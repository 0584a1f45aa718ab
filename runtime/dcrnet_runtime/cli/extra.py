"""Modules that an extra brings."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command


def require_extra(extra: str, modules: Iterable[str]) -> None:
    """Say which extra is missing, rather than which module.

    Args:
        extra: its name.
        modules: what it brings.

    Raises:
        DcrnetError: one of the modules cannot be imported.
    """
    name = extra
    try:
        for name in modules:
            import_module(name)
    except ModuleNotFoundError as error:
        raise DcrnetError(f"{error.name} is not installed: {extra_command(extra)}") from error
    except (ImportError, OSError, MemoryError) as error:  # for want of memory, mostly
        raise DcrnetError(
            f"{name} cannot be loaded ({str(error) or type(error).__name__}): free some memory, or"
            f" install it again ({extra_command(extra)})"
        ) from error
