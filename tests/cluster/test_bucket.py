"""Photos in a bucket and parts in one, on moto's server on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import pytest
from deadly import DeadlySpec
from generated import TinyModel, synthetic_frame

from dcrnet_runtime.archive import ReadOptions
from dcrnet_runtime.archive.cluster.part_worker import PartWork, PartWorker, part_row
from dcrnet_runtime.archive.cluster.parts_folder import PartsFolder
from dcrnet_runtime.archive.cluster.photo_list import PhotoList
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs import FrameFacts

pytestmark = pytest.mark.cluster


def test_objects_are_answered_and_parts_written_into_the_bucket(
    bucket: Any, tiny_model: TinyModel, tmp_path: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for number in range(20):
        encoded = cv2.imencode(".png", synthetic_frame(seed=number))[1].tobytes()
        bucket.put_object(Bucket="faces", Key=f"in/a b#?{number:02}.png", Body=encoded)
    bucket.put_object(Bucket="faces", Key="in/c.jpg", Body=b"nothing")
    bucket.put_object(Bucket="faces", Key="in/list.txt", Body=b"text")
    spec = DeadlySpec(model=tiny_model())
    model = spec.load_model()
    photos = PhotoList.of(["s3://faces/in"])
    assert [photo.name for photo in photos.photos][:2] == ["a b#?00.png", "a b#?01.png"]
    assert photos.skipped == "1 objects whose names end like no photo's"
    folder = PartsFolder("s3://faces/out/")
    parts = folder.begin(photos, 2, {}, resumes=False)
    assert [len(part.photos) for part in parts] == [16, 5]
    facts = FrameFacts(model.card.labels, model_sha256=model.sha256)
    worker = PartWorker(PartWork(spec, ReadOptions(), facts, folder.address))
    for part in [*parts, *parts]:  # each twice, as after a loss
        assert '"refusal": ""' in worker(dict(part_row(part)))["done"]
    listed = bucket.list_objects_v2(Bucket="faces", Prefix="out/")["Contents"]
    keys = [each["Key"] for each in listed]
    # Removing an object, pyarrow leaves an empty one that stands for its folder.
    assert [key for key in keys if key != "out/"] == [
        "out/_run.json",
        "out/part-000000.parquet",
        "out/part-000001.parquet",
    ]
    rows = []
    for part in parts:
        body = bucket.get_object(Bucket="faces", Key=f"out/{part.name}")["Body"].read()
        rows += pq.read_table(pa.BufferReader(body)).to_pylist()
    assert [row["source"] for row in rows] == [f"a b#?{number:02}.png" for number in range(20)]
    done = PartsFolder("s3://faces/out").done(parts)
    assert list(done) == [0]  # the other one has what could not be read
    again = PartsFolder("s3://faces/out").begin(photos, 7, {}, resumes=True)
    assert again == parts
    with pytest.raises(DcrnetError, match="holds parts already"):
        PartsFolder("s3://faces/out").begin(photos, 2, {}, resumes=False)


def test_a_bucket_that_is_not_there_is_told_in_a_line(bucket: Any) -> None:
    for address in ("s3://none/in", "s3://faces/nothing"):
        with pytest.raises(DcrnetError) as raised:
            PhotoList.of([address])
        assert address in str(raised.value)
        assert "\n" not in str(raised.value)
