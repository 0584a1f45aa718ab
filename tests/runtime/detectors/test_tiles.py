"""Where the detector looks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dcrnet_runtime.detectors.tiles import frame_square, tiles
from dcrnet_runtime.face import Box

SIDE_PX = st.integers(1, 9000)
SHARE = st.floats(0, 1)


def test_a_frame_of_four_to_three_is_seen_whole_and_in_six_tiles() -> None:
    assert frame_square(640, 480) == Box(0, -80, 640, 640)
    assert {(tile.x, tile.y, tile.side) for tile in tiles(640, 480)} == {
        (x, y, 320) for x in (0, 160, 320) for y in (0, 160)
    }


@given(width=SIDE_PX, height=SIDE_PX, across=SHARE, down=SHARE)
def test_a_face_of_a_quarter_of_the_frame_lies_whole_in_a_tile(
    width: int, height: int, across: float, down: float
) -> None:
    face_px = max(width, height) / 4
    x, y = across * max(0, width - face_px), down * max(0, height - face_px)
    face_width, face_height = min(face_px, width), min(face_px, height)
    slack = 1e-6 * face_px
    assert any(
        tile.x <= x + slack
        and tile.y <= y + slack
        and x + face_width <= tile.x + tile.side + slack
        and y + face_height <= tile.y + tile.side + slack
        for tile in tiles(width, height)
    )


@given(width=SIDE_PX, height=SIDE_PX)
def test_the_looks_are_few(width: int, height: int) -> None:
    assert len(tiles(width, height)) <= 9
