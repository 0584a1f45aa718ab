"""Gives each observation to every output."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.sinks.address import PageAddress
from dcrnet_runtime.sinks.lines import CsvRows, JsonLines, StandardOutput
from dcrnet_runtime.sinks.mqtt import Broker, MqttState
from dcrnet_runtime.sinks.options import STANDARD_OUTPUT, SinkOptions
from dcrnet_runtime.sinks.sink import Output, Sink, Worker
from dcrnet_runtime.sinks.video import PictureFiles, VideoFile

_LINES, _PICTURES = 256, 4  # that wait for a slow output


class Publisher:
    """Any number of outputs as one, which the loop never waits for while its source goes on."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = outputs

    @property
    def failures(self) -> Mapping[str, int]:
        """Observations that were lost or could not be written, by output."""
        return {output.name: output.failures for output in self._outputs if output.failures}

    @property
    def wants_stop(self) -> bool:
        """Whether the window was closed, or the reader of standard output has left."""
        return any(output.wants_stop for output in self._outputs)

    def publish(self, observation: Observation) -> None:
        """Hand an observation to every output; never raises.

        Of a live source it never waits; of a recording it waits for outputs that must not lose
        a frame.
        """
        unix_s = time.time() - observation.delay_ms / 1000
        for output in self._outputs:
            output.offer(observation, unix_s)

    def close(self) -> None:
        """Finish the outputs in order.

        Raises:
            DcrnetError: an output is not whole; all have been closed.
        """
        for output in self._outputs:
            output.close()
        errors = [f"{output.name}: {output.error}" for output in self._outputs if output.error]
        if errors:
            raise DcrnetError("; ".join(errors))


def open_publisher(
    options: SinkOptions, is_stopping: Callable[[], bool] = lambda: False
) -> Publisher:
    """Open every output that is asked for.

    Args:
        options: which ones.
        is_stopping: whether the run is being stopped: then no output is waited for long.

    Raises:
        DcrnetError: one cannot be opened, or its extra is missing; those opened are closed.
    """
    options.check()
    opened: list[Output] = []
    try:
        for open_one in _openers(options, is_stopping):
            opened.append(open_one())
    except DcrnetError:
        for output in opened:
            output.close()
        raise
    return Publisher(opened)


def _openers(options: SinkOptions, is_stopping: Callable[[], bool]) -> list[Callable[[], Output]]:
    """What opens each output, in the order of publishing."""
    is_live, blur_faces = options.is_live, options.blur_faces

    def lines(sink: Sink) -> Output:
        return Worker(sink, depth=_LINES, is_lossless=not is_live, is_stopping=is_stopping)

    def pictures(sink: Sink) -> Output:
        return Worker(sink, depth=_PICTURES, is_lossless=not is_live, is_stopping=is_stopping)

    openers: list[Callable[[], Output]] = []
    if options.window:
        openers.append(_window)
    if options.serve:
        openers.append(lambda: _page(options))
    if options.jsonl == STANDARD_OUTPUT:
        openers.append(lambda: lines(StandardOutput(is_live=is_live)))
    elif options.jsonl is not None:
        path = Path(options.jsonl)
        openers.append(lambda: lines(JsonLines(path, is_live=is_live)))
    if (csv := options.csv) is not None:
        openers.append(lambda: lines(CsvRows(csv, options.labels, is_live=is_live)))
    if (video := options.video) is not None:
        fps = options.fps
        openers.append(
            lambda: pictures(VideoFile(video, fps=fps, is_live=is_live, blur_faces=blur_faces))
        )
    if (photos := options.pictures) is not None:
        is_folder = options.pictures_is_folder
        openers.append(
            lambda: pictures(PictureFiles(photos, is_folder=is_folder, blur_faces=blur_faces))
        )
    if options.mqtt:
        broker = Broker.parse(options.mqtt)
        openers.append(
            lambda: MqttState(broker, options.labels, has_discovery=options.mqtt_discovery)
        )
    return openers


def _window() -> Output:
    from dcrnet_runtime.sinks.window import Window

    return Window()


def _page(options: SinkOptions) -> Output:
    address = PageAddress.parse(options.serve)
    address.check_token(options.token)
    try:
        from dcrnet_runtime.sinks.page.server import LivePage
    except ImportError as error:
        raise DcrnetError(
            "--serve needs Starlette, uvicorn and prometheus-client:"
            " pip install 'dcrnet-edge[serve]'"
        ) from error
    return LivePage(address, options.token, blur_faces=options.blur_faces)
