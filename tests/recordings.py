"""Generated recordings: encoded with PyAV, each with times and a turn of its own."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from generated import synthetic_frame
from numpy.typing import NDArray
from PIL import Image

TICKS = 1000
_IDENTITY = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_QUARTER = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)  # shown turned by 90 degrees clockwise


def write_recording(
    place: Path | BytesIO,
    times_s: Sequence[float],
    codec: str = "mpeg4",
    format: str | None = None,
    size: tuple[int, int] = (320, 240),
    options: dict[str, str] | None = None,
) -> None:
    """A recording whose frames have these times."""
    target = str(place) if isinstance(place, Path) else place
    with av.open(target, "w", format=format) as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        for number, time_s in enumerate(times_s):
            rgb = synthetic_frame(size[1], size[0], seed=number)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = round(time_s * TICKS), Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_sound(path: Path) -> None:
    """An MP4 without any picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        frame.rate, frame.pts = 44100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def turn_by_a_quarter(path: Path) -> None:
    """Have an MP4 say that its pictures are to be turned clockwise, as phones do."""
    old, new = (
        b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
        for matrix in (_IDENTITY, _QUARTER)
    )
    content = path.read_bytes()
    at = content.index(old, content.index(b"tkhd"))
    path.write_bytes(content[:at] + new + content[at + len(old) :])


def encoded(kind: str, rgb: NDArray[np.uint8] | None = None, **options: Any) -> bytes:
    """A picture in one of Pillow's formats."""
    buffer = BytesIO()
    Image.fromarray(synthetic_frame() if rgb is None else rgb).save(buffer, kind, **options)
    return buffer.getvalue()
