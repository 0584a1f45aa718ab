"""The newest observation, handed from the loop's thread to any number of waiting clients."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping

import cv2

from dcrnet_runtime.observation import Observation, Stage
from dcrnet_runtime.outputs.pictures.annotation import FaceBlur, annotated
from dcrnet_runtime.outputs.record import observation_record

_WIDEST_PX = 960
_JPEG_QUALITY = 80


class Newest:
    """Holds one observation; setting it never waits, and a slow client just skips some.

    Attributes:
        observation: None before the first.
        sequence: observations so far.
        stage_s: seconds spent in each stage so far.
        delay_s: seconds of delay so far, summed over frames.
        is_closed: whether no more will come.
        failures: observations that each output has lost so far.
    """

    def __init__(self, *, blur_faces: bool, failures: Mapping[str, int] | None = None) -> None:
        self.failures: Mapping[str, int] = {} if failures is None else failures
        self.observation: Observation | None = None
        self.sequence = 0
        self.stage_s: dict[Stage, float] = defaultdict(float)
        self.delay_s = 0.0
        self.is_closed = False
        self._unix_s = 0.0
        self._set_s = 0.0
        self._blur = FaceBlur() if blur_faces else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrival = asyncio.Event()
        self._encoding = asyncio.Lock()
        self._jpeg = b""
        self._jpeg_sequence = 0

    @property
    def age_s(self) -> float | None:
        """Seconds since the newest came, None before the first."""
        return time.monotonic() - self._set_s if self.sequence else None

    def serve_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell whose clients are to be woken."""
        self._loop = loop

    def set(self, observation: Observation, unix_s: float) -> None:
        """Replace the newest; called by the loop's thread."""
        if self._blur is not None:
            self._blur.note(observation)
        for stage, latency_ms in observation.latency_ms.items():
            self.stage_s[stage] += latency_ms / 1000
        self.delay_s += observation.delay_ms / 1000
        self._unix_s, self._set_s = unix_s, time.monotonic()
        self.observation = observation
        self.sequence += 1
        self._wake()

    def close(self) -> None:
        """Let the clients end."""
        self.is_closed = True
        self._wake()

    async def after(self, sequence: int, timeout_s: float) -> bool:
        """Wait for an observation later than ``sequence``; whether there is one."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.sequence <= sequence and not self.is_closed:
                    await self._arrival.wait()
        except TimeoutError:
            pass
        return self.sequence > sequence

    async def jpeg(self, after: int) -> tuple[bytes, int]:
        """An annotated picture later than ``after``, and its sequence.

        It is encoded once for all clients, and only if there is one. Where encoding is slower
        than the frames are, whoever waited for it takes what the one before has encoded.
        """
        async with self._encoding:
            if self._jpeg_sequence <= after and self.observation is not None:
                sequence, observation = self.sequence, self.observation
                self._jpeg = await asyncio.to_thread(_encoded, observation, self._blur)
                self._jpeg_sequence = sequence
            return self._jpeg, self._jpeg_sequence

    def record(self) -> dict[str, object]:
        """The newest as JSON Lines have it."""
        return (
            {} if self.observation is None else observation_record(self.observation, self._unix_s)
        )

    def _wake(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._arrive)

    def _arrive(self) -> None:
        arrival, self._arrival = self._arrival, asyncio.Event()
        arrival.set()


def _encoded(observation: Observation, blur: FaceBlur | None) -> bytes:
    picture = annotated(observation, blur)
    scale = _WIDEST_PX / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return jpeg.tobytes()
