"""Photos: large ones at a part of their size, batches of them, and none that changes another."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from deadly import DeadlySpec
from generated import LABELS, TinyModel, synthetic_face, synthetic_frame
from numpy.typing import NDArray

from dcrnet_runtime.archive import PhotoBatch
from dcrnet_runtime.archive.answering import ENOUGH_PX, Answering, ReadOptions
from dcrnet_runtime.archive.item import Item
from dcrnet_runtime.detectors.detector import open_detector
from dcrnet_runtime.outputs.record import frame_record
from dcrnet_runtime.video.images import read_photo


@pytest.mark.parametrize(
    ("size", "suffix", "scale"),
    [
        ((2 * ENOUGH_PX, 40), ".jpg", 2),
        ((2 * ENOUGH_PX - 1, 40), ".jpg", 1),
        ((40, 4 * ENOUGH_PX), ".jpg", 4),
        ((8 * ENOUGH_PX, 16), ".jpg", 8),
        ((2 * ENOUGH_PX, 40), ".png", 1),
    ],
)
def test_a_large_jpeg_is_decoded_at_a_part_of_its_size(
    size: tuple[int, int], suffix: str, scale: int, tmp_path: Path
) -> None:
    path = tmp_path / f"large{suffix}"
    assert cv2.imwrite(str(path), synthetic_frame(size[1], size[0]))
    photo = read_photo(path, ENOUGH_PX)
    assert (photo.scale, photo.is_too_large) == (scale, False)
    assert max(photo.rgb.shape) == -(-max(size) // scale)
    assert read_photo(path).scale == 1


def test_boxes_of_a_large_photo_are_in_its_own_pixels(
    tiny_model: TinyModel, tmp_path: Path
) -> None:
    path = tmp_path / "large.jpg"
    assert cv2.imwrite(str(path), synthetic_frame(300, 2 * ENOUGH_PX))
    recognizer = DeadlySpec(model=tiny_model()).open()
    boxes = []
    for enough_px in (None, ENOUGH_PX):
        answering = Answering(recognizer, ReadOptions(enough_px=enough_px))
        (part,) = answering.parts(0, Item(path, "large.jpg"))
        (seen,) = part.observations
        recognitions = [face.recognition for face in seen.faces]
        (face,) = frame_record(seen.frame, recognitions)["faces"]
        boxes.append(np.array(face["box"]))
    np.testing.assert_allclose(boxes[1], 2 * boxes[0], atol=0.1)  # the detector says the same


def test_what_a_photo_is_answered_does_not_depend_on_those_before(
    portrait: NDArray[np.uint8],
) -> None:
    crowd = np.hstack([portrait[:300, 100:350]] * 3)
    fresh, told = (open_detector(max_faces=1) for _ in range(2))
    told.find(crowd)  # which says that there are more
    for rgb in (crowd, crowd[:, ::-1].copy(), portrait):
        before, after = ([face.box for face in each.find(rgb)] for each in (fresh, told))
        assert before == after
        fresh = open_detector(max_faces=1)


def test_a_batch_has_a_row_a_face_and_one_for_what_has_none(
    tiny_model: TinyModel, tmp_path: Path
) -> None:
    good, bad = tmp_path / "a.png", tmp_path / "b.png"
    assert cv2.imwrite(str(good), synthetic_frame())
    bad.write_bytes(b"nothing")
    batch = PhotoBatch(DeadlySpec(model=tiny_model()))
    by_path = batch({"path": [str(good), str(bad), str(tmp_path / "gone.png")]})
    contents = [good.read_bytes(), bad.read_bytes()]
    by_content = batch({"path": ["s3://b/a.png", "s3://b/b.png"], "bytes": contents})
    assert by_path["face"] == [0, -1, -1]
    assert [bool(error) for error in by_path["error"]] == [False, True, True]
    assert by_content["path"] == ["s3://b/a.png", "s3://b/b.png"]
    for name in ("x", "label", "probability", *(f"p_{label}" for label in LABELS)):
        assert by_content[name] == by_path[name][:2]
        assert by_path[name][1:] == [None, None]
    box = synthetic_face().box
    assert by_path["x"][0] == pytest.approx(box.x, abs=0.05)
    assert by_path["label"][0] in LABELS


def test_several_pictures_are_answered_as_each_alone(
    tiny_model: TinyModel, portrait: NDArray[np.uint8]
) -> None:
    recognizer = DeadlySpec(model=tiny_model(batch="n")).open()
    pictures = [synthetic_frame(), portrait, synthetic_frame(seed=3)]
    together = recognizer.recognize_batch(pictures)
    assert [len(answers) for answers in together] == [1, 1, 1]
    for answers, rgb in zip(together, pictures, strict=True):
        (alone,) = recognizer.recognize(rgb)
        np.testing.assert_array_equal(answers[0].probabilities, alone.probabilities)
    assert recognizer.recognize_batch([]) == []
