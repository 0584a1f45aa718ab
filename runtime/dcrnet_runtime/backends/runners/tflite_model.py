"""Models run by LiteRT, or by tflite-runtime."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.backend import (
    Accelerators,
    Capabilities,
    ModelFile,
    SessionOptions,
)
from dcrnet_runtime.backends.interpreter import (
    InterpreterPackage,
    is_installed,
    load_interpreter,
)
from dcrnet_runtime.backends.model import TFLITE_CARD_FILE, Backend, ModelFormat
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.backends.runners.batching import in_batches
from dcrnet_runtime.backends.runners.self_description import check_input, check_output, read_card
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
        try:
            with zipfile.ZipFile(io.BytesIO(file.content)) as appended:
                text = appended.read(TFLITE_CARD_FILE).decode()
        except (zipfile.BadZipFile, KeyError, UnicodeDecodeError):
            text = None
        self.card = read_card(path, text)
        self.sha256 = file.sha256
        self._interpreter = load_interpreter(
            file.content, options.threads, package, delegates, what=str(path)
        )
        home = type(self._interpreter).__module__.partition(".")[0]
        if self.card.precision is Precision.DYNAMIC_RANGE and home == "tflite_runtime":
            raise DcrnetError(
                _NO_DYNAMIC_RANGE.format(path=path, command=package_command("ai-edge-litert"))
            )
        self.runs_on = ", ".join([home, *(delegate.name for delegate in delegates)])
        detail = self._interpreter.get_input_details()[0]
        check_input(path, self.card, list(detail["shape"]))
        self._input = detail["index"]
        self._batch = int(detail["shape"][0])
        output = self._interpreter.get_output_details()[0]
        check_output(path, self.card, list(output["shape"]))
        self._output = output["index"]

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return in_batches(self._run, crops, self._batch)

    def _run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        rows: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return rows


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
