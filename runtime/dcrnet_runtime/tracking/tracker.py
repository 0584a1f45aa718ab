"""Faces that keep their number from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count

import numpy as np

from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.tracking.assignment import assign

_GATE = 1.0
_VELOCITY_TIME_S = 0.15
_LONGEST_COAST_S = 0.5
_LONGEST_GAP_S = 10.0


class Track:
    """A face that is followed.

    Attributes:
        track_id: from 1, never given twice.
        face: as last seen.
        first_s: when it was first seen.
        seen_s: when it was last seen.
    """

    __slots__ = ("_velocity", "face", "first_s", "seen_s", "track_id")

    def __init__(self, track_id: int, face: Face, time_s: float) -> None:
        self.track_id = track_id
        self.face = face
        self.first_s = self.seen_s = time_s
        self._velocity: tuple[float, float] | None = None  # px a second

    def update(self, face: Face, time_s: float) -> None:
        """It was seen again."""
        elapsed_s = time_s - self.seen_s
        if elapsed_s > 0:
            (x0, y0), (x1, y1) = self.face.box.centre, face.box.centre
            measured = (x1 - x0) / elapsed_s, (y1 - y0) / elapsed_s
            if self._velocity is None:
                self._velocity = measured
            else:
                weight = -math.expm1(-elapsed_s / _VELOCITY_TIME_S)
                vx, vy = self._velocity
                self._velocity = (
                    vx + weight * (measured[0] - vx),
                    vy + weight * (measured[1] - vy),
                )
        self.face, self.seen_s = face, time_s

    def centre_at(self, time_s: float) -> tuple[float, float]:
        """Where its box's centre should be, px; it coasts half a second at most."""
        x, y = self.face.box.centre
        if self._velocity is None:
            return x, y
        coast_s = min(time_s - self.seen_s, _LONGEST_COAST_S)
        return x + self._velocity[0] * coast_s, y + self._velocity[1] * coast_s


class Tracker:
    """Associates each frame's faces with those seen before.

    A pair costs the distance between the face and where the track should be by now, in face
    widths, plus the logarithm of their sizes' ratio; all pairs together are chosen at the
    least cost, so two faces that cross keep their numbers.

    Args:
        memory_s: a face that is hidden for no longer gets its number back. A face of the last
            frame was not hidden since, however slowly frames come (to ten seconds: behind a
            longer gap, someone else may stand there).
    """

    def __init__(self, memory_s: float = 1.0) -> None:
        self._memory_s = memory_s
        self._tracks: list[Track] = []
        self._ids = count(1)
        self._time_s = 0.0

    @property
    def tracks(self) -> Sequence[Track]:
        """Seen within the memory."""
        return self._tracks

    def update(self, faces: Sequence[Face], time_s: float) -> list[Track]:
        """The track of each face, in their order.

        Args:
            faces: with finite boxes.
            time_s: of the frame; never goes back.
        """
        gap_s = min(time_s - self._time_s, _LONGEST_GAP_S)
        memory_s = max(self._memory_s, gap_s)
        self._tracks = [t for t in self._tracks if time_s - t.seen_s <= memory_s]
        self._time_s = time_s
        cost = np.array(
            [[_cost(track, face.box, time_s) for face in faces] for track in self._tracks]
        ).reshape(len(self._tracks), len(faces))
        known = {column: self._tracks[row] for row, column in assign(cost, _GATE)}
        found = []
        for index, face in enumerate(faces):
            track = known.get(index)
            if track is None:
                track = Track(next(self._ids), face, time_s)
                self._tracks.append(track)
            else:
                track.update(face, time_s)
            found.append(track)
        return found

    def forget(self) -> None:
        """Drop all tracks: the picture has another size or comes from elsewhere."""
        self._tracks = []


def _cost(track: Track, box: Box, time_s: float) -> float:
    x, y = track.centre_at(time_s)
    side, other = track.face.box.side, box.side
    distance = math.hypot(box.centre[0] - x, box.centre[1] - y) / ((side + other) / 2)
    return distance + abs(math.log(side / other))
