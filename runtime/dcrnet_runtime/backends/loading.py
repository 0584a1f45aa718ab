"""Exported models behind one interface, whatever their format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dcrnet_runtime.backends.backend import (
    Accelerators,
    InferenceBackend,
    ModelFile,
    SessionOptions,
)
from dcrnet_runtime.backends.model import Model, ModelFormat
from dcrnet_runtime.backends.provider import Provider
from dcrnet_runtime.backends.registry import backend_called, backend_for
from dcrnet_runtime.errors import DcrnetError

MAX_MODEL_BYTES = 1 << 29


def load_model(
    path: str | os.PathLike[str],
    *,
    threads: int = 1,
    backend: str | None = None,
    providers: Sequence[Provider] = (),
    is_strict: bool = False,
) -> Model:
    """Load an exported model.

    Args:
        path: a file that ``dcrnet-export`` wrote.
        threads: of the back end.
        backend: who runs it, by the name of an entry of
            :mod:`dcrnet_runtime.backends.registry`; None for the first that is installed and
            runs such files.
        providers: accelerators in order of preference, for ONNX Runtime its execution
            providers, for TFLite the shared libraries of delegates. One that is not there is
            reported in a warning, and the CPU takes its place.
        is_strict: refuse that, and also that parts of the graph fall to the CPU.

    Raises:
        DcrnetError: the file is missing, damaged, absurdly large, a checkpoint, refers to other
            files, is no model or describes itself in no way that this runtime knows; or the back
            end is unknown, does not run such files or on such accelerators, is not installed, or
            is not what was asked for.
    """
    if not isinstance(path, str | os.PathLike):
        raise DcrnetError(
            f"`path` is a {type(path).__name__}, not the path of a model: give a file that"
            " dcrnet-export wrote, or shipped_model()"
        )
    chosen = None if backend is None else backend_called(backend)
    file = _read(Path(path))
    chosen = chosen or backend_for(file.format)
    _check(chosen, file, providers)
    return chosen.load(file, SessionOptions(threads, providers, is_strict))


def _read(path: Path) -> ModelFile:
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise DcrnetError(
                f"model {path} has more than {MAX_MODEL_BYTES >> 20} MB: name a file that"
                " dcrnet-export wrote"
            )
        content = path.read_bytes()
    except OSError as error:
        raise DcrnetError(
            f"model {path} cannot be read ({error.strerror}): name a file that dcrnet-export wrote"
        ) from error
    if _is_checkpoint(content):
        raise DcrnetError(
            f"model {path} is a checkpoint (safetensors), which is not run as it is:"
            f" dcrnet-export {path} --int8 writes the models that are"
        )
    return ModelFile(path, content, ModelFormat.of(content))


def _is_checkpoint(content: bytes) -> bool:
    """Whether it is a safetensors file: the length of a JSON object, then the object."""
    length = int.from_bytes(content[:8], "little")
    return content[8:9] == b"{" and length <= len(content) - 8


def _check(backend: InferenceBackend, file: ModelFile, providers: Sequence[Provider]) -> None:
    if file.format not in backend.capabilities.formats:
        raise DcrnetError(
            f"{backend.name} does not run {file.path}, an {file.format} file: leave `backend` out,"
            " or name another file"
        )
    if providers and backend.capabilities.accelerators is Accelerators.NONE:
        raise DcrnetError(f"{backend.name} takes no accelerator: leave `providers` out")
