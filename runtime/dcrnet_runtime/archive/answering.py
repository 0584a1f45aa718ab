"""An item in, its answers out: what every engine does with each item."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.archive.item import Item
from dcrnet_runtime.archive.part import Part, Step, StepTimes, Usage
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation, Stage
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream, StreamOptions
from dcrnet_runtime.video.frame import Frame
from dcrnet_runtime.video.images import Photo, read_photo
from dcrnet_runtime.video.kind import Source
from dcrnet_runtime.video.rotation import turned
from dcrnet_runtime.video.source import resolve

ENOUGH_PX = 1920
"""To which a large photo's longer side may be scaled down while it is decoded: a face of a
twentieth of it, the least that is found, then still has 96 px."""

_BATCH = 32  # frames of a recording that are sent together
_NO_PIXELS = np.empty((0, 0, 3), np.uint8)
_STEPS = {
    Stage.CAPTURE: Step.DECODE,
    Stage.FIND: Step.FIND,
    Stage.PREPARE: Step.PREPARE,
    Stage.INFER: Step.INFER,
}


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How items are read.

    Attributes:
        stream: how recordings are, and how pictures are turned.
        keeps_pixels: answers hold the pictures that they are of.
        enough_px: a JPEG whose longer side is at least twice as long is decoded at a half, a
            quarter or an eighth; None for its full size.
    """

    stream: StreamOptions = field(default_factory=StreamOptions)
    keeps_pixels: bool = False
    enough_px: int | None = ENOUGH_PX


class Answering:
    """Answers one item after the other, holding the model once.

    Args:
        recognizer: finds and classifies.
        options: how items are read.
        wants_stop: is asked while a recording is read.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        options: ReadOptions | None = None,
        wants_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._recognizer = recognizer
        self._options = options or ReadOptions()
        self._wants_stop = wants_stop
        self._times = StepTimes()
        self._process = os.getpid()

    def parts(self, index: int, item: Item) -> Generator[Part]:
        """An item's answers; the last part alone says what kept it from being read."""
        fingerprint, is_photo, failure = item.fingerprint(), True, ""
        rest: tuple[Observation, ...] = ()
        notes: tuple[str, ...] = ()
        self._times.begin()
        try:
            if item.failure:
                raise DcrnetError(item.failure)
            source = replace(resolve(os.path.abspath(item.path)), label=item.name)  # noqa: PTH100
            is_photo = source.kind.open is None
            if is_photo:
                enough_px = self._options.enough_px
                observation, notes = self._photo(
                    item.name, lambda: read_photo(item.path, enough_px)
                )
                rest = (observation,)
            else:
                for observations in self._recording(source):
                    yield Part(index, observations, is_photo=False, seconds=self._times.taken())
        except DcrnetError as error:
            failure = str(error)
        yield Part(
            index,
            rest,
            is_last=True,
            is_photo=is_photo,
            failure=failure,
            notes=notes,
            fingerprint=fingerprint,
            seconds=self._times.taken(),
            usage=Usage.of(self._process),
        )

    def photo(self, index: int, name: str, read: Callable[[], Photo]) -> Part:
        """The answers to a photo that lies elsewhere than in a file of this machine.

        Args:
            index: of the item.
            name: what answers call it.
            read: gives the photo; the ``DcrnetError`` that it raises is why there are no answers.
        """
        self._times.begin()
        rest: tuple[Observation, ...] = ()
        notes: tuple[str, ...] = ()
        failure = ""
        try:
            observation, notes = self._photo(name, read)
            rest = (observation,)
        except DcrnetError as error:
            failure = str(error)
        return Part(
            index,
            rest,
            is_last=True,
            failure=failure,
            notes=notes,
            seconds=self._times.taken(),
            usage=Usage.of(self._process),
        )

    def _photo(self, name: str, read: Callable[[], Photo]) -> tuple[Observation, tuple[str, ...]]:
        """Its answers, and what is to be said of it.

        Raises:
            DcrnetError: it cannot be decoded.
        """
        photo = read()
        rgb = turned(photo.rgb, self._options.stream.request.rotation_deg)
        self._times.end(Step.DECODE)
        faces = self._recognizer.find(rgb)
        self._times.end(Step.FIND)
        kept, crops = self._recognizer.prepare(rgb, faces)
        self._times.end(Step.PREPARE)
        recognitions = self._recognizer.classify(kept, crops)
        self._times.end(Step.INFER)
        frame = Frame(self._pixels(rgb), 0, 0.0, name, photo.scale)
        notes = (
            (f"{name} is large and was read at 1/{photo.scale} of its size.",)
            if photo.is_too_large
            else ()
        )
        return Observation.of_still(frame, recognitions), notes

    def _recording(self, source: Source) -> Generator[tuple[Observation, ...]]:
        batch: list[Observation] = []
        size = 1 if self._options.keeps_pixels else _BATCH
        options = self._options.stream
        try:
            with Stream(
                self._recognizer, source, options, wants_stop=self._wants_stop, wants_whole=True
            ) as stream:
                for observation in stream:
                    for stage, step in _STEPS.items():
                        self._times.add(step, observation.latency_ms.get(stage, 0.0) / 1000)
                    frame = observation.frame
                    frame = replace(frame, rgb=self._pixels(frame.rgb))
                    batch.append(replace(observation, frame=frame))
                    if len(batch) == size:
                        yield tuple(batch)
                        batch = []
        except DcrnetError:  # what was seen until it broke off is answered
            yield tuple(batch)
            raise
        yield tuple(batch)

    def _pixels(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return rgb if self._options.keeps_pixels else _NO_PIXELS


class LogNotes(logging.Handler):
    """Keeps what a process logs until it is sent to where it can be shown."""

    def __init__(self) -> None:
        super().__init__()
        self._notes: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._notes.append(f"{record.levelname}: {record.getMessage()}")

    def taken(self) -> tuple[str, ...]:
        """What was logged since the last call."""
        taken, self._notes = tuple(self._notes), []
        return taken
