"""What a GPU's figures need, and what to do about each part that is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from dcrnet_bench.host.gpu.cuda import Card, NoCardError, find_card
from dcrnet_runtime.installation import extra_command, package_command

PROVIDER = "CUDAExecutionProvider"
GPU_PACKAGE = "onnxruntime-gpu[cuda,cudnn]"


@dataclass(frozen=True, slots=True)
class Requirements:
    """What is there.

    Attributes:
        card: the GPU; None where CUDA shows none.
        missing: one line for each part that is not there, with what to do.
        has_provider: whether the installed onnxruntime is built for CUDA.
        has_torch: whether the installed torch is built for CUDA and finds the card.
    """

    card: Card | None
    missing: tuple[str, ...]
    has_provider: bool
    has_torch: bool


def read_requirements(
    find: Callable[[], Card] = find_card, load: Callable[[str], Any] = import_module
) -> Requirements:
    """Look for the driver, ONNX Runtime's CUDA provider and torch's CUDA build.

    Args:
        find: the card; raises :class:`NoCardError`.
        load: a module by its name.
    """
    card, missing = None, []
    try:
        card = find()
    except NoCardError as error:
        missing.append(f"card: {error}")
    provider, torch = _without_provider(load), _without_torch(load, card)
    missing += [reason for reason in (provider, torch) if reason]
    return Requirements(card, tuple(missing), not provider, not torch)


def _without_provider(load: Callable[[str], Any]) -> str:
    """Why ONNX Runtime cannot use CUDA; empty where it can."""
    onnxruntime = load("onnxruntime")
    if PROVIDER in onnxruntime.get_available_providers():
        return ""
    return (
        f"provider package: onnxruntime {onnxruntime.__version__} is built without {PROVIDER}:"
        f" uninstall it, then {package_command(GPU_PACKAGE)} (they are the same module, so only"
        " one may be there)"
    )


def _without_torch(load: Callable[[str], Any], card: Card | None) -> str:
    """Why torch cannot use CUDA; empty where it can."""
    try:
        torch = load("torch")
        load("dcrnet_edge.models.checkpoint")
    except ImportError:
        return f"torch: it is not installed: {extra_command('train')}"
    if torch.version.cuda is None:
        command = package_command("torch", options=["--force-reinstall"])
        return (
            f"torch: {torch.__version__} is built without CUDA: {command}, from an index that has"
            ' the build for your driver (pytorch.org, "Get started")'
        )
    if not torch.cuda.is_available():
        runs = f"the driver runs up to {card.cuda}" if card else "no driver answers"
        return (
            f"torch: {torch.__version__} wants CUDA {torch.version.cuda} and finds no card"
            f" ({runs}): update the driver, or install an older torch"
        )
    return ""
