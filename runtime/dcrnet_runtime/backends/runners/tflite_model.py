"""Models run by LiteRT, or by tflite-runtime."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.backend import (
    Accelerators,
    Capabilities,
    ModelFile,
    SessionOptions,
)
from dcrnet_runtime.backends.content_hash import tflite_metadata
from dcrnet_runtime.backends.failure import run_error
from dcrnet_runtime.backends.interpreter import (
    InterpreterPackage,
    is_installed,
    load_interpreter,
)
from dcrnet_runtime.backends.model import Answers, Backend, ModelFormat, no_features
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.backends.runners.batching import in_batches, split_answers
from dcrnet_runtime.backends.runners.self_description import (
    check_features,
    check_input,
    check_output,
    checked_sha256,
    read_card,
)
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import package_command

# In 2.14, its last version, a dense layer comes out as zeros where its int8 weights have a scale
# a row. The exporter writes such layers as convolutions; other files cannot be told apart.
_NO_DYNAMIC_RANGE = (
    "{path} is a dynamic-range model, whose arithmetic is wrong in tflite-runtime: {command}, or"
    " use the int8 file"
)


class TFLiteModel:
    """A model run by LiteRT, or by tflite-runtime where that is what is installed."""

    format = ModelFormat.TFLITE

    def __init__(
        self, file: ModelFile, options: SessionOptions, package: InterpreterPackage
    ) -> None:
        path, delegates = file.path, options.providers
        metadata = tflite_metadata(file.content)
        self.card = read_card(path, metadata.card)
        self.sha256 = checked_sha256(file, metadata)
        self._path, self._package = path, package
        self._interpreter = load_interpreter(
            file.content, options.threads, package, delegates, what=str(path)
        )
        home = type(self._interpreter).__module__.partition(".")[0]
        if self.card.precision is Precision.DYNAMIC_RANGE and home == "tflite_runtime":
            raise DcrnetError(
                _NO_DYNAMIC_RANGE.format(path=path, command=package_command("ai-edge-litert"))
            )
        self.runs_on = ", ".join([home, *(delegate.name for delegate in delegates)])
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        wanted = 2 if self.card.feature_count else 1
        if (len(inputs), len(outputs)) != (1, wanted):
            raise DcrnetError(
                f"{path} has {len(inputs)} inputs and {len(outputs)} outputs, not 1 and {wanted}:"
                " the file was edited, export it again"
            )
        check_input(path, self.card, list(inputs[0]["shape"]))
        check_output(path, self.card, list(outputs[0]["shape"]))
        if self.card.feature_count:
            check_features(path, self.card, list(outputs[1]["shape"]))
        self._input = inputs[0]["index"]
        self._outputs = [each["index"] for each in outputs]
        self._batch = int(inputs[0]["shape"][0])

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        run = partial(self._run, self._outputs[:1])
        return in_batches(run, crops, self._batch, len(self.card.labels))

    def answers(self, crops: NDArray[np.uint8]) -> Answers:
        labels, count = len(self.card.labels), self.card.feature_count
        if not count:
            raise no_features(str(self._path))
        run = partial(self._run, self._outputs)
        return split_answers(in_batches(run, crops, self._batch, labels + count), labels)

    def _run(self, outputs: Sequence[int], batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            self._interpreter.set_tensor(self._input, batch)
            self._interpreter.invoke()
            rows: list[NDArray[np.float32]] = [
                self._interpreter.get_tensor(index) for index in outputs
            ]
        except (ValueError, RuntimeError, MemoryError) as error:
            raise run_error(self._path, self._package, error) from error
        return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)


class TFLiteBackend:
    """An interpreter's package, with the delegates that it loads.

    Args:
        name: of the back end.
        package: whose interpreter it is.
    """

    capabilities = Capabilities(frozenset({ModelFormat.TFLITE}), Accelerators.DELEGATES)

    def __init__(self, name: Backend, package: InterpreterPackage) -> None:
        self.name: str = name
        self._package = package

    def is_installed(self) -> bool:
        return is_installed(self._package)

    def load(self, file: ModelFile, options: SessionOptions) -> TFLiteModel:
        return TFLiteModel(file, options, self._package)
