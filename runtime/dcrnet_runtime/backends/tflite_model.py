"""Models run by LiteRT, or by tflite-runtime."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.backends.batching import in_batches
from dcrnet_runtime.backends.interpreter import InterpreterPackage, load_interpreter
from dcrnet_runtime.backends.model import TFLITE_CARD_FILE, ModelFormat
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.backends.provider import Provider
from dcrnet_runtime.backends.self_description import check_input, check_output, read_card
from dcrnet_runtime.errors import DcrnetError

# In 2.14, its last version, a dense layer comes out as zeros where its int8 weights have a scale
# a row. The exporter writes such layers as convolutions; other files cannot be told apart.
_NO_DYNAMIC_RANGE = (
    "{path} is a dynamic-range model, whose arithmetic is wrong in tflite-runtime: pip install"
    " ai-edge-litert, or use the int8 file"
)


class TFLiteModel:
    """A model run by LiteRT, or by tflite-runtime where that is what is installed."""

    format = ModelFormat.TFLITE

    def __init__(
        self,
        path: Path,
        content: bytes,
        threads: int,
        package: InterpreterPackage | None = None,
        delegates: Sequence[Provider] = (),
    ) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as appended:
                text = appended.read(TFLITE_CARD_FILE).decode()
        except (zipfile.BadZipFile, KeyError, UnicodeDecodeError):
            text = None
        self.card = read_card(path, text)
        self.sha256 = sha256(content).hexdigest()
        self._interpreter = load_interpreter(content, threads, package, delegates)
        home = type(self._interpreter).__module__.partition(".")[0]
        if self.card.precision is Precision.DYNAMIC_RANGE and home == "tflite_runtime":
            raise DcrnetError(_NO_DYNAMIC_RANGE.format(path=path))
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
