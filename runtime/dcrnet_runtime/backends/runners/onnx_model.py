"""Models run by ONNX Runtime."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.backend import (
    Accelerators,
    Capabilities,
    ModelFile,
    SessionOptions,
)
from dcrnet_runtime.backends.content_hash import onnx_metadata
from dcrnet_runtime.backends.failure import load_error, run_error
from dcrnet_runtime.backends.model import (
    FEATURES_NAME,
    INPUT_NAME,
    OUTPUT_NAME,
    Answers,
    Backend,
    ModelFormat,
    no_features,
)
from dcrnet_runtime.backends.provider import CPU_PROVIDER, Provider, onnx_providers
from dcrnet_runtime.backends.runners.batching import in_batches, split_answers
from dcrnet_runtime.backends.runners.self_description import (
    check_features,
    check_input,
    check_output,
    checked_sha256,
    read_card,
)
from dcrnet_runtime.errors import DcrnetError

# How protobuf writes the key "location" of a tensor whose values lie in another file, also with
# needlessly long tags and lengths. An exported model has none, and reading one would let a model
# file name any other file of the device.
_EXTERNAL_DATA = re.compile(rb"(?:\x0a|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location")

_log = logging.getLogger(__name__)


class OnnxModel:
    """A model run by ONNX Runtime."""

    format = ModelFormat.ONNX

    def __init__(self, file: ModelFile, options: SessionOptions) -> None:
        path = file.path
        if _EXTERNAL_DATA.search(file.content):
            raise DcrnetError(
                f"{path} refers to tensors in other files, which no exported model does: export"
                " it again"
            )
        metadata = onnx_metadata(file.content)
        self.sha256 = file.sha256 if metadata is None else checked_sha256(file, metadata)
        self._path, self._session = path, _session(file, options)
        self.card = read_card(path, None if metadata is None else metadata.card)
        self.runs_on = f"onnxruntime, {', '.join(self._session.get_providers())}"
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        given = [OUTPUT_NAME, FEATURES_NAME] if self.card.feature_count else [OUTPUT_NAME]
        if [each.name for each in (*inputs, *outputs)] != [INPUT_NAME, *given]:
            raise DcrnetError(
                f"{path} maps {_names(inputs)} to {_names(outputs)}, not {INPUT_NAME} to"
                f" {', '.join(given)}: the file was edited, export it again"
            )
        shape = inputs[0].shape
        check_input(path, self.card, shape)
        check_output(path, self.card, outputs[0].shape)
        if self.card.feature_count:
            check_features(path, self.card, outputs[1].shape)
        self._batch = shape[0] if isinstance(shape[0], int) else None

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        run = partial(self._run, [OUTPUT_NAME])
        return in_batches(run, crops, self._batch, len(self.card.labels))

    def answers(self, crops: NDArray[np.uint8]) -> Answers:
        labels, count = len(self.card.labels), self.card.feature_count
        if not count:
            raise no_features(str(self._path))
        run = partial(self._run, [OUTPUT_NAME, FEATURES_NAME])
        return split_answers(in_batches(run, crops, self._batch, labels + count), labels)

    def _run(self, names: Sequence[str], batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(names, {INPUT_NAME: batch})
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise run_error(self._path, "onnxruntime", error) from error
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=1)


class OnnxRuntimeBackend:
    """ONNX Runtime, with any of its execution providers but the one that computes elsewhere."""

    name: str = Backend.ONNXRUNTIME
    capabilities = Capabilities(frozenset({ModelFormat.ONNX}), Accelerators.PROVIDERS)

    def is_installed(self) -> bool:
        return find_spec("onnxruntime") is not None

    def load(self, file: ModelFile, options: SessionOptions) -> OnnxModel:
        return OnnxModel(file, options)


def _session(file: ModelFile, wanted: SessionOptions) -> Any:
    import onnxruntime

    chosen, missing = onnx_providers(
        wanted.providers, onnxruntime.get_all_providers(), onnxruntime.get_available_providers()
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = wanted.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Where a processor without VNNI would saturate sums over weights beyond 64, ONNX Runtime takes
    # other kernels; smaller weights and other processors are not slowed down.
    options.add_session_config_entry("session.x64quantprecision", "1")
    if wanted.is_strict and missing:
        raise DcrnetError(_not_usable(missing))
    if wanted.is_strict and wanted.providers and not _names_cpu(wanted.providers):
        chosen = [(name, its) for name, its in chosen if name != CPU_PROVIDER]
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        session = onnxruntime.InferenceSession(file.content, options, providers=chosen)
    except Exception as error:  # onnxruntime's exceptions share no base class
        if "fallback to CPU EP has been explicitly disabled" in str(error):
            raise DcrnetError(
                f"parts of {file.path} would run on the CPU: leave `is_strict` out, or name"
                " `providers` cpu as well"
            ) from error
        raise load_error(file.path, "onnxruntime", error) from error
    missing += [name for name, _ in chosen if name not in session.get_providers()]
    if wanted.is_strict and missing:
        raise DcrnetError(_not_usable(missing))
    if missing:
        _log.warning("%s; now it is %s", _not_usable(missing), ", ".join(session.get_providers()))
    return session


def _names(values: Sequence[Any]) -> str:
    return ", ".join(each.name for each in values) or "nothing"


def _names_cpu(providers: Sequence[Provider]) -> bool:
    return any("cpu" in provider.name.lower() for provider in providers)


def _not_usable(providers: Sequence[str]) -> str:
    return (
        f"{', '.join(providers)} was asked for and cannot be used by this onnxruntime: install a"
        " build with it and the drivers it needs"
    )
