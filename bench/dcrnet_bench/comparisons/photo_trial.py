"""One run of one competitor over photos, and what it came to.

A competitor's interpreter reads this, too: it needs the standard library alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PhotoTrial:
    """What is to be run.

    Attributes:
        competitor: its name.
        script: path of its file.
        variant: what the script is told.
        photos: paths; the first ones are for warming up.
    """

    competitor: str
    script: str
    variant: str
    photos: tuple[str, ...]


@dataclass(frozen=True)
class PhotoTrialResult:
    """What came of it, of the photos behind the warm-up.

    Attributes:
        competitor: its name.
        photos: that were answered.
        cpu_ms: processor time a photo, of all threads: reading, decoding, finding, classifying.
        faces: in all of them.
        with_face: share of the photos that had a face.
        peak_mb: most memory, in 10^6 bytes.
    """

    competitor: str
    photos: int
    cpu_ms: float
    faces: int
    with_face: float
    peak_mb: float
