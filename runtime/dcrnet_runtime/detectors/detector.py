"""Face detectors: one interface, several providers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.detectors.bundle import cached_task, check_task
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face


class DetectorKind(StrEnum):
    """Who finds faces; ``auto`` is LiteRT where its networks are here, else the cascade."""

    AUTO = "auto"
    LITERT = "litert"
    MEDIAPIPE = "mediapipe"
    CASCADE = "cascade"


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
        name: as :class:`Finder`'s.
        landmarks_sha256: as :class:`Finder`'s.
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


def open_detector(
    kind: DetectorKind = DetectorKind.AUTO,
    task: Path | None = None,
    *,
    max_faces: int = 10,
    far: bool = False,
) -> Detector:
    """The detector of ``kind``.

    ``auto`` prefers MediaPipe's networks run by LiteRT (from ``task``, from an installed
    mediapipe wheel or from the cache), then OpenCV's cascade, which has no landmarks.

    Args:
        kind: the provider.
        task: a ``face_landmarker.task`` bundle to use.
        max_faces: at most so many faces a frame.
        far: look for faces half as large, too, at seven times the detector's cost in a 4:3
            frame. The cascade always does; MediaPipe's own package cannot.

    Raises:
        DcrnetError: what ``kind`` needs is not there; names what to install or fetch.
    """
    match kind:
        case DetectorKind.CASCADE:
            return _cascade(max_faces)
        case DetectorKind.MEDIAPIPE:
            from dcrnet_runtime.detectors.mediapipe import open_mediapipe

            return open_mediapipe(task or _checked_cache(), max_faces)
        case DetectorKind.LITERT:
            return _litert(task, max_faces, far) or _no_networks()
        case DetectorKind.AUTO:
            return _litert(task, max_faces, far) or _cascade(max_faces)


def _litert(task: Path | None, max_faces: int, far: bool) -> Detector | None:
    from dcrnet_runtime.detectors.litert import FaceNetworks, LiteRTDetector

    if task is not None:
        return LiteRTDetector(FaceNetworks.from_task(task), max_faces=max_faces, far=far)
    networks = FaceNetworks.from_mediapipe_wheel()
    if networks is None:
        cached = _checked_cache()
        if cached is None:
            return None
        networks = FaceNetworks.from_task(cached)
    return LiteRTDetector(networks, max_faces=max_faces, far=far)


def _cascade(max_faces: int) -> Detector:
    from dcrnet_runtime.detectors.cascade import CascadeDetector

    return CascadeDetector(max_faces=max_faces)


def _checked_cache() -> Path | None:
    cached = cached_task()
    if cached is not None:
        check_task(cached)
    return cached


def _no_networks() -> Detector:
    raise DcrnetError(
        "no face landmark network is here: dcrnet-run --fetch-landmarks downloads one (3.8 MB),"
        " or pip install 'dcrnet-edge[mediapipe]', or name a bundle with --landmarks FILE"
    )
