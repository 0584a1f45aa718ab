"""A face's box and its label in a picture."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dcrnet_runtime.face import Box
from dcrnet_runtime.outputs.pictures.palette import INK, Colour

_SHARE = 1 / 36  # of the picture's longer side: a letter's height
_SMALLEST_PX, _LEAST_PX = 12, 7
_FAR_PX = 99_999


def draw_face(canvas: NDArray[np.uint8], box: Box, text: str, colour: Colour) -> None:
    """Draw a box and a line of text on a band of its colour into an (H, W, 3) RGB picture.

    The band stands above the box, or, where there is no room, below it or in it, and never
    reaches past the picture.
    """
    height, width = canvas.shape[:2]
    size_px = max(_SMALLEST_PX, round(_SHARE * max(height, width)))
    weight = max(2, size_px // 8)
    edges = box.x, box.y, box.x + box.width, box.y + box.height
    left, top, right, bottom = (int(v) for v in np.nan_to_num(np.clip(edges, -_FAR_PX, _FAR_PX)))
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, weight)
    band = text_band(text, size_px, colour, width, height)
    tall, wide = band.shape[:2]
    x = min(max(left - weight // 2, 0), width - wide)
    above, below = top - weight // 2 - tall, bottom + weight // 2
    if above >= 0:
        y = above
    elif below + tall <= height:
        y = below
    else:
        y = top + weight // 2
    y = min(max(y, 0), height - tall)
    canvas[y : y + tall, x : x + wide] = band


@lru_cache(maxsize=128)
def text_band(
    text: str, size_px: int, colour: Colour, most_wide: int, most_tall: int
) -> NDArray[np.uint8]:
    """A line of text as an (h, w, 3) uint8 RGB picture that fits into the one it is for.

    Args:
        text: one line.
        size_px: of its letters; smaller ones are taken where it does not fit.
        colour: of the ground.
        most_wide: px.
        most_tall: px.
    """
    while True:
        font = ImageFont.load_default(size_px)
        pad = max(1, size_px // 4)
        ascent, descent = _metrics(size_px)
        wide, tall = round(font.getlength(text)) + 2 * pad, ascent + descent + pad
        if (wide <= most_wide and tall <= most_tall) or size_px <= _LEAST_PX:
            break
        size_px = max(_LEAST_PX, min(size_px - 1, size_px * most_wide // wide))
    picture = Image.new("RGB", (wide, tall), colour)
    ImageDraw.Draw(picture).text((pad, pad // 2), text, INK, font)
    return np.asarray(picture)[:most_tall, :most_wide]


def _metrics(size_px: int) -> tuple[int, int]:
    font = ImageFont.load_default(size_px)
    if isinstance(font, ImageFont.FreeTypeFont):
        return font.getmetrics()
    return size_px, 0
