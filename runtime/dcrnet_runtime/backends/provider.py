"""Who computes for a back end: an accelerator by name, with its options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dcrnet_runtime.errors import DcrnetError

_REMOTE = "AzureExecutionProvider"  # would send faces over the network
_SUFFIX = "ExecutionProvider"
CPU_PROVIDER = "CPU" + _SUFFIX


@dataclass(frozen=True, slots=True)
class Provider:
    """One of ONNX Runtime's execution providers, or a delegate of TFLite.

    Attributes:
        name: ``cuda``, ``CUDAExecutionProvider``; for TFLite the path of a shared library.
        options: as the provider documents them.
    """

    name: str
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Provider:
        """Read ``NAME`` or ``NAME:KEY=VALUE,KEY=VALUE``.

        Raises:
            DcrnetError: an option has no value.
        """
        name, _, rest = text.partition(":")
        pairs = [pair.partition("=") for pair in rest.split(",")] if rest else []
        if not name or not all(key and sign for key, sign, _ in pairs):
            raise DcrnetError(
                f"`providers` {text} cannot be read: write NAME or NAME:KEY=VALUE,KEY=VALUE"
            )
        return cls(name, {key: value for key, _, value in pairs})


def onnx_providers(
    wanted: Sequence[Provider], known: Sequence[str], available: Sequence[str]
) -> tuple[list[tuple[str, dict[str, str]]], list[str]]:
    """What a session is to be made with, in order of preference; the CPU is always the last.

    Args:
        wanted: by name, in any case, with or without "ExecutionProvider".
        known: all that ONNX Runtime can have.
        available: those that the installed package has.

    Returns:
        (full name, options) of those that are available, and the names of those that are not.

    Raises:
        DcrnetError: ONNX Runtime knows no such provider.
    """
    by_name = {name.removesuffix(_SUFFIX).lower(): name for name in known if name != _REMOTE}
    chosen: list[tuple[str, dict[str, str]]] = []
    missing = []
    for provider in wanted:
        name = by_name.get(provider.name.removesuffix(_SUFFIX).lower())
        if name is None:
            raise DcrnetError(
                f"ONNX Runtime has no provider {provider.name}: choose of"
                f" {', '.join(sorted(by_name))}"
            )
        if name in available:
            chosen.append((name, provider.options))
        else:
            missing.append(name)
    if all(name != CPU_PROVIDER for name, _ in chosen):
        chosen.append((CPU_PROVIDER, {}))
    return chosen, missing
