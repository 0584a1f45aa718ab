"""Gives each observation to every output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.lines import CsvRows, JsonLines, StandardOutput
from dcrnet_runtime.outputs.mqtt.state import Broker, MqttState
from dcrnet_runtime.outputs.options import STANDARD_OUTPUT, OutputOptions
from dcrnet_runtime.outputs.output import Output, Sink, Worker
from dcrnet_runtime.outputs.page.address import PageAddress
from dcrnet_runtime.outputs.video import PictureFiles, VideoFile
from dcrnet_runtime.video.feed import Feed

_LINES, _PICTURES = 256, 4  # that wait for a slow output


class Publisher:
    """Any number of outputs as one, which the loop never waits for while its source is live.

    Attributes:
        failures: observations that were lost or could not be written, by output; goes on
            counting.
    """

    def __init__(self, outputs: Sequence[Output]) -> None:
        self.failures: dict[str, int] = {}
        self._outputs = outputs

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
        self._count()

    def close(self) -> None:
        """Finish the outputs in order.

        Raises:
            DcrnetError: an output is not whole; all have been closed.
        """
        for output in self._outputs:
            output.close()
        self._count()
        errors = [f"{output.name}: {output.error}" for output in self._outputs if output.error]
        if errors:
            raise DcrnetError("; ".join(errors))

    def _count(self) -> None:
        self.failures.update(
            {output.name: output.failures for output in self._outputs if output.failures}
        )


def open_publisher(
    options: OutputOptions, is_stopping: Callable[[], bool] = lambda: False
) -> Publisher:
    """Open every output that is asked for.

    Args:
        options: which ones.
        is_stopping: whether the run is being stopped: then no output is waited for long.

    Raises:
        DcrnetError: one cannot be opened, or its extra is missing; those opened are closed, and
            have replaced nothing.
    """
    options.check()
    opened: list[Output] = []
    try:
        opened.extend(_opened(options, is_stopping))
    except DcrnetError:
        for output in opened:
            output.close()
        raise
    return Publisher(opened)


def _opened(options: OutputOptions, is_stopping: Callable[[], bool]) -> Iterator[Output]:
    """Each output, in the order of publishing."""
    is_live = options.is_live

    def worker(sink: Sink, depth: int) -> Worker:
        return Worker(sink, depth=depth, is_lossless=not is_live, is_stopping=is_stopping)

    if options.window:
        from dcrnet_runtime.outputs.window import Window

        yield Window(waits_for_key=_is_still(options), is_stopping=is_stopping)
    if options.serve:
        yield _page(options)
    if options.jsonl == STANDARD_OUTPUT:
        yield worker(StandardOutput(is_live=is_live), _LINES)
    elif options.jsonl is not None:
        yield worker(JsonLines(Path(options.jsonl), is_live=is_live), _LINES)
    if options.csv is not None:
        yield worker(CsvRows(options.csv, options.labels, is_live=is_live), _LINES)
    if options.save is not None:
        yield worker(_pictures(options, options.save), _PICTURES)
    if options.mqtt:
        broker = Broker.parse(options.mqtt)
        yield MqttState(broker, options.labels, has_discovery=options.mqtt_discovery)


def _is_still(options: OutputOptions) -> bool:
    return options.feed in (Feed.PHOTO, Feed.PHOTOS)


def _pictures(options: OutputOptions, path: Path) -> Sink:
    match options.feed:
        case Feed.PHOTO | Feed.PHOTOS:
            is_folder = options.feed is Feed.PHOTOS
            return PictureFiles(path, is_folder=is_folder, blur_faces=options.blur_faces)
        case Feed.RECORDING | Feed.LIVE:
            return VideoFile(
                path, fps=options.fps, is_live=options.is_live, blur_faces=options.blur_faces
            )


def _page(options: OutputOptions) -> Output:
    address = PageAddress.parse(options.serve)
    try:
        from dcrnet_runtime.outputs.page.server import LivePage
    except ImportError as error:
        raise DcrnetError(
            "--serve needs Starlette, uvicorn and prometheus-client:"
            " pip install 'dcrnet-edge[serve]'"
        ) from error
    return LivePage(address, options.token, blur_faces=options.blur_faces)
