"""One photo's stages as a picture that can be read on a telephone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.face import Box
from dcrnet_runtime.outputs.explanation.explained_face import ExplainedFace
from dcrnet_runtime.outputs.pictures.drawing import draw_face, text_band
from dcrnet_runtime.outputs.pictures.palette import Colour, colour_of
from dcrnet_runtime.recognizer import UNCERTAIN, Recognition

Picture = NDArray[np.uint8]

_PAPER: Colour = (255, 255, 255)
_RULE: Colour = (0xD0, 0xD7, 0xDE)
_LANDMARK: Colour = (0x3C, 0xC8, 0xD9)
_FALLS: Colour = (0xE0, 0x2B, 0x20)
_RISES: Colour = (0x1F, 0x6F, 0xEB)
_LEAST_SIDE_PX = 320  # of a crop on the sheet
_LETTER_SHARE = 1 / 28  # of the sheet's width: 13 px where it is shown 360 px wide
_GAP_SHARE = 1 / 60
_TINT = 0.65  # of the strongest place of the map
_LEAST_FALL = 0.01  # a map of weaker ones is drawn paler
_NAMES_SHARE = 0.45  # of the sheet's width, left of the bars


def sheet(rgb: Picture, faces: Sequence[ExplainedFace], count: int) -> Picture:
    """The photo with boxes and landmarks, then for each face its crop's stages and its answer.

    Crops are shown by whole multiples of their pixels.

    Args:
        rgb: (H, W, 3) uint8 RGB, the photo.
        faces: one or more of its faces.
        count: how many it has.

    Returns:
        (h, w, 3) uint8 RGB, w being twice a crop's side and a little.
    """
    side = faces[0].stages.prepared.shape[0]
    zoom = math.ceil(_LEAST_SIDE_PX / side)
    width = round(2 * zoom * side / (1 - 3 * _GAP_SHARE))
    left_out = f" (the first {len(faces)} of {count})" if count > len(faces) else ""
    rows = [
        _line(f"Photo: box and landmarks of each face{left_out}", width),
        _photo(rgb, [face.recognition for face in faces], width),
    ]
    for number, face in enumerate(faces, 1):
        rows += [_rule(width), *_face_rows(face, number, zoom, width)]
    return np.concatenate([*rows, _gap(width)])


def _face_rows(face: ExplainedFace, number: int, zoom: int, width: int) -> list[Picture]:
    stages, answer = face.stages, face.recognition
    focus = f"landmark focus {face.focus:.0%}" if face.focus else "no focus"
    aligned = "aligned crop" if answer.face.landmarks is not None else "crop of the box"
    panels = [
        (f"1 {aligned}", stages.aligned),
        (f"2 gamma {stages.gamma:.2f}", stages.corrected),
        (f"3 input, {focus}", stages.prepared),
        ("4 what the answer rests on", tinted(stages.prepared, face.falls)),
    ]
    shown = [(caption, _enlarged(picture, zoom)) for caption, picture in panels]
    most_likely = answer.labels[int(answer.probabilities.argmax())]
    fall, rise = (100 * max(0.0, float(v)) for v in (face.falls.max(), -face.falls.min()))
    return [
        _line(_answer(number, answer), width),
        _pair(shown[0], shown[1], width),
        _pair(shown[2], shown[3], width),
        _line(f"4: red, covered: {most_likely} loses up to {fall:.1f} points", width),
        _line(f"4: blue, covered: {most_likely} gains up to {rise:.1f} points", width),
        _gap(width),
        *(_bar(answer, i, width) for i in range(len(answer.labels))),
    ]


def tinted(prepared: Picture, falls: NDArray[np.float32]) -> Picture:
    """A crop, red where covering takes from the answer's probability and blue where it adds.

    Args:
        prepared: (S, S, 3) uint8 RGB.
        falls: (G, G) float32, -1..1.

    Returns:
        (S, S, 3) uint8 RGB: the strongest place has the colour by 65 %, others in proportion.
    """
    side, grid = prepared.shape[0], falls.shape[0]
    strongest = max(float(np.abs(falls).max()), _LEAST_FALL)
    edges = np.rint(np.linspace(0, side, grid + 1)).astype(int)
    shares = _TINT * falls.astype(np.float64) / strongest
    for axis in (0, 1):
        shares = np.repeat(shares, np.diff(edges), axis=axis)
    colours = np.where(shares[..., None] >= 0, _FALLS, _RISES)
    weights = np.abs(shares)[..., None]
    return np.rint((1 - weights) * prepared + weights * colours).astype(np.uint8)


def _photo(rgb: Picture, answers: Sequence[Recognition], width: int) -> Picture:
    scale = width / rgb.shape[1]
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = cv2.resize(rgb, (width, max(1, round(scale * rgb.shape[0]))), interpolation=kernel)
    for number, answer in enumerate(answers, 1):
        for x, y in [] if answer.face.landmarks is None else scale * answer.face.landmarks:
            centre = (round(float(x)), round(float(y)))
            cv2.circle(canvas, centre, max(1, width // 500), _LANDMARK, cv2.FILLED, cv2.LINE_AA)
        box = answer.face.box
        scaled = Box(*(scale * v for v in (box.x, box.y, box.width, box.height)))
        colour = colour_of(answer.label, answer.labels)
        draw_face(canvas, scaled, _answer(number, answer), colour)
    return canvas


def _answer(number: int, answer: Recognition) -> str:
    return f"Face {number}: {answer.label or UNCERTAIN} {answer.probability:.0%}"


def _enlarged(picture: Picture, zoom: int) -> Picture:
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    return picture.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _pair(left: tuple[str, Picture], right: tuple[str, Picture], width: int) -> Picture:
    """Two pictures beside each other, each under its caption."""
    side = left[1].shape[0]
    gap = (width - 2 * side) // 3
    band = _letters_px(width) * 2
    row = _blank(band + side, width)
    for start, (caption, picture) in ((gap, left), (2 * gap + side, right)):
        _write(row[:band, start : start + side], caption, _letters_px(width))
        row[band:, start : start + side] = picture
    return row


def _bar(answer: Recognition, index: int, width: int) -> Picture:
    """A label, its probability as a number and as a bar."""
    letters, gap = _letters_px(width), round(_GAP_SHARE * width)
    row, share = _blank(round(1.5 * letters), width), float(answer.probabilities[index])
    names, label = round(_NAMES_SHARE * width), answer.labels[index]
    _write(row[:, gap:names], f"{label} {share:.1%}", letters)
    longest = width - names - gap
    height = row.shape[0]
    bar = row[height // 6 : height - height // 6, names : names + longest]
    bar[:] = _RULE
    bar[:, : round(share * longest)] = colour_of(label, answer.labels)
    return row


def _line(text: str, width: int) -> Picture:
    letters, gap = _letters_px(width), round(_GAP_SHARE * width)
    row = _blank(2 * letters, width)
    _write(row[:, gap : width - gap], text, letters)
    return row


def _write(place: Picture, text: str, letters_px: int) -> None:
    """Text at the left, in the middle of the place's height."""
    band = text_band(text, letters_px, _PAPER, place.shape[1], place.shape[0])
    top = (place.shape[0] - band.shape[0]) // 2
    place[top : top + band.shape[0], : band.shape[1]] = band


def _letters_px(width: int) -> int:
    return round(_LETTER_SHARE * width)


def _gap(width: int) -> Picture:
    return _blank(round(_GAP_SHARE * width), width)


def _rule(width: int) -> Picture:
    row = _blank(3 * round(_GAP_SHARE * width), width)
    middle = row.shape[0] // 2
    row[middle - 1 : middle + 1] = _RULE
    return row


def _blank(height: int, width: int) -> Picture:
    return np.full((height, width, 3), _PAPER, np.uint8)
