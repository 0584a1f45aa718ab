"""Face detectors: one interface, and an entry for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face


class Detector(Protocol):
    """Finds the faces of a frame.

    Attributes:
        name: for people.
        landmarks_sha256: the landmark network's hash; empty where it is not known or there is
            none.
    """

    name: str
    landmarks_sha256: str

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        """The faces of an (H, W, 3) uint8 RGB frame, best first."""
        ...


@runtime_checkable
class LandmarkTracker(Protocol):
    """A detector that can also look again at a face it has found, without its detector.

    Attributes:
        name: as :class:`Detector`'s.
        landmarks_sha256: as :class:`Detector`'s.
        max_faces: at most so many faces a frame.
    """

    name: str
    landmarks_sha256: str
    max_faces: int

    def find(self, rgb: NDArray[np.uint8], known: Sequence[Face] = ()) -> list[Face]:
        """The faces of an (H, W, 3) uint8 RGB frame that are not ``known``, best first."""
        ...

    def follow(self, rgb: NDArray[np.uint8], face: Face) -> Face | None:
        """Where ``face``, of a frame shortly before, is now; None where it is not."""
        ...


@runtime_checkable
class FaintFaceDetector(Protocol):
    """A detector that can look harder at a picture that may be a face crop."""

    def find_faint(self, rgb: NDArray[np.uint8]) -> Face | None:
        """The face of an (H, W, 3) uint8 RGB picture in which nothing was found else; or None."""
        ...


class DetectorKind(StrEnum):
    """The detectors that come with the package; more may be registered.

    Attributes:
        AUTO: the best that needs nothing else installed, which is ``litert``.
        LITERT: MediaPipe's networks, run by LiteRT.
        MEDIAPIPE: MediaPipe's own package.
        CASCADE: OpenCV's, which has no landmarks.
    """

    AUTO = "auto"
    LITERT = "litert"
    MEDIAPIPE = "mediapipe"
    CASCADE = "cascade"


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """What a detector is asked for; each heeds what it has.

    Attributes:
        task: a ``face_landmarker.task`` bundle to use in the place of the package's.
        max_faces: at most so many faces a frame.
        far: look for faces half as large, too.
        min_detection: the detector's own confidence, 0..1, below which there is no face; None for
            what is usual with it.
        min_face_px: faces whose longer side is shorter are left out.
    """

    task: Path | None = None
    max_faces: int = 10
    far: bool = False
    min_detection: float | None = None
    min_face_px: float = 0.0


OpenDetector = Callable[[DetectorOptions], Detector]
"""Makes a detector ready; raises :class:`DcrnetError` where it lacks something."""

DETECTORS: dict[str, OpenDetector] = {}
"""What opens each, by its name."""


def register(name: str, opener: OpenDetector) -> None:
    """Add a detector; one of the same name is replaced."""
    DETECTORS[name] = opener


def open_detector(
    kind: str = DetectorKind.AUTO,
    task: Path | None = None,
    *,
    max_faces: int = 10,
    far: bool = False,
    min_detection: float | None = None,
    min_face_px: float = 0.0,
) -> Detector:
    """The detector of that name.

    Args:
        kind: a name of :class:`DetectorKind`, or one that was registered.
        task: a ``face_landmarker.task`` bundle to use; None for the one in the package.
        max_faces: at most so many faces a frame.
        far: look for faces half as large, too, at seven times the detector's cost in a 4:3
            frame. The cascade always does; MediaPipe's own package cannot.
        min_detection: the detector's own confidence, 0..1, below which there is no face; None for
            0.5. The cascade has none.
        min_face_px: faces whose longer side, from above the eyebrows to the chin, is shorter are
            left out.

    Raises:
        DcrnetError: there is none, or what it needs is not there, which names what to install; or
            it cannot do what is asked for.
    """
    if kind not in DETECTORS:
        raise DcrnetError(f"`kind` {kind} is unknown: choose {', '.join(DETECTORS)}")
    options = DetectorOptions(task, max_faces, far, min_detection, min_face_px)
    return DETECTORS[kind](options)


def _litert(options: DetectorOptions) -> Detector:
    from dcrnet_runtime.detectors.litert import FaceNetworks, LiteRTDetector
    from dcrnet_runtime.landmarks import shipped_landmarks

    networks = FaceNetworks.from_task(options.task or shipped_landmarks())
    return LiteRTDetector(
        networks,
        max_faces=options.max_faces,
        min_score=options.min_detection,
        min_face_px=options.min_face_px,
        far=options.far,
    )


def _mediapipe(options: DetectorOptions) -> Detector:
    from dcrnet_runtime.detectors.mediapipe import open_mediapipe

    return open_mediapipe(options)


def _cascade(options: DetectorOptions) -> Detector:
    from dcrnet_runtime.detectors.cascade import CascadeDetector

    if options.min_detection is not None:
        raise DcrnetError(
            "the cascade gives no confidence: leave `min_detection` out, or take `kind` litert"
        )
    return CascadeDetector(max_faces=options.max_faces, min_face_px=options.min_face_px)


register(DetectorKind.AUTO, _litert)
register(DetectorKind.LITERT, _litert)
register(DetectorKind.MEDIAPIPE, _mediapipe)
register(DetectorKind.CASCADE, _cascade)
