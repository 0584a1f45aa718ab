"""Photos answered in parts, by a stand-in for a cluster that has one worker and no machines."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import pytest
from deadly import DeadlySpec
from generated import TinyModel, synthetic_frame
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from dcrnet_runtime.answers.reading import read_answers
from dcrnet_runtime.archive import ReadOptions
from dcrnet_runtime.archive.cluster import photo_list
from dcrnet_runtime.archive.cluster.cluster import cluster_workers
from dcrnet_runtime.archive.cluster.part_file import PartDone
from dcrnet_runtime.archive.cluster.part_worker import PartWork, PartWorker, part_row
from dcrnet_runtime.archive.cluster.parts_folder import PartsFolder
from dcrnet_runtime.archive.cluster.photo_list import PhotoList, PhotoPart
from dcrnet_runtime.cli.run import app
from dcrnet_runtime.cli.running import clustered
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs import FrameFacts

pytest.importorskip("pyarrow.parquet", reason="needs the parquet extra")
pytest.importorskip("pandas", reason="needs the tables extra")

Runs = Callable[..., Result]


class OneByOne:
    """Answers parts in no order, some of them twice, as a cluster does that has lost a worker.

    Args:
        ends_after: parts after which it is interrupted.
    """

    cpus = 2

    def __init__(self, ends_after: int | None = None) -> None:
        self.ends_after = ends_after
        self.answered: list[int] = []

    def done(
        self, work: PartWork, parts: Sequence[PhotoPart], workers: int
    ) -> Generator[PartDone, None, None]:
        worker = PartWorker(work)
        order = list(parts)
        random.Random(3).shuffle(order)
        for count, part in enumerate(order):
            if count == self.ends_after:
                raise KeyboardInterrupt
            worker(dict(part_row(part)))
            self.answered.append(part.number)
            yield PartDone.from_text(worker(dict(part_row(part)))["done"])


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> OneByOne:
    stand_in = OneByOne()

    @contextmanager
    def joined(address: str) -> Iterator[OneByOne]:
        yield stand_in

    monkeypatch.setattr(clustered, "ray_cluster", joined)
    return stand_in


@pytest.fixture
def photos(tmp_path: Path, portrait: NDArray[Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """10 photos in three parts, two of them without a face."""
    monkeypatch.setattr(photo_list, "_LEAST_PHOTOS", 4)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(10):
        rgb = synthetic_frame(seed=number) if number in (3, 9) else portrait[number:, number:]
        assert cv2.imwrite(str(folder / f"{number:02}.jpg"), rgb[:, :, ::-1])
    return folder


@pytest.fixture
def runs(photos: Path, tmp_path: Path) -> Runs:
    """Runs the command on the photos."""

    def run(*options: str) -> Result:
        return CliRunner().invoke(app, [str(photos), "--model", "fast", *options])

    return run


def clustered_options(tmp_path: Path, *more: str) -> tuple[str, ...]:
    return ("--engine", "ray", "--parts", str(tmp_path / "parts"), *more)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_parts_hold_what_one_machine_answers_each_row_once(
    runs: Runs, cluster: OneByOne, photos: Path, tmp_path: Path
) -> None:
    import pandas as pd

    ran = runs(*clustered_options(tmp_path))
    assert ran.exit_code == 0, ran.output
    assert "10 of 10 files done: 8 with a face, 2 without, 0 unreadable. 8 faces" in ran.output
    assert f"Kept: parts in {tmp_path / 'parts'}. Sent: nothing." in ran.output
    parts = [f"part-{number:06}.parquet" for number in range(3)]
    assert names(tmp_path / "parts") == ["_run.json", *parts]
    alone = runs("--parquet", str(tmp_path / "one.parquet"))
    assert alone.exit_code == 0, alone.output
    found = read_answers(tmp_path / "parts").sort_values("frame").reset_index(drop=True)
    wanted = read_answers(tmp_path / "one.parquet")
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)
    assert found.attrs["model_sha256"] == wanted.attrs["model_sha256"]
    assert found.attrs["settings"] == wanted.attrs["settings"]


def test_what_cannot_be_read_is_named_and_listed_and_tried_again(
    runs: Runs, cluster: OneByOne, photos: Path, tmp_path: Path
) -> None:
    whole = (photos / "05.jpg").read_bytes()
    (photos / "05.jpg").write_bytes(bytes(len(whole)))
    ran = runs(*clustered_options(tmp_path))
    assert ran.exit_code == 2
    assert "7 with a face, 2 without, 1 unreadable" in ran.output
    (line,) = (tmp_path / "parts" / "_failed.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert (told["path"], told["source"]) == (str(photos / "05.jpg"), "05.jpg")
    assert told["reason"] in ran.output.replace("\n", " ")
    (photos / "05.jpg").write_bytes(whole)
    cluster.answered.clear()
    again = runs(*clustered_options(tmp_path, "--resume"))
    assert again.exit_code == 0, again.output
    assert cluster.answered == [1]
    assert (tmp_path / "parts" / "_failed.jsonl").read_text() == ""
    assert list(read_answers(tmp_path / "parts")["source"]).count("05.jpg") == 1


def test_an_interrupted_run_goes_on_with_the_parts_that_are_not_there(
    runs: Runs, cluster: OneByOne, tmp_path: Path
) -> None:
    cluster.ends_after = 1
    first = runs(*clustered_options(tmp_path))
    assert first.exit_code == 0, first.output
    assert "--resume" in first.output
    done = cluster.answered.copy()
    (tmp_path / "parts" / "._part-000002.parquet.0.tmp").write_bytes(b"PAR1")
    (tmp_path / "parts" / "_part-000002.parquet.trying").write_text("{}")
    cluster.ends_after, cluster.answered = None, []
    refused = runs(*clustered_options(tmp_path))
    assert refused.exit_code == 2
    assert "holds parts already: give --resume" in refused.output
    ran = runs(*clustered_options(tmp_path, "--resume"))
    assert ran.exit_code == 0, ran.output
    assert sorted([*done, *cluster.answered]) == [0, 1, 2]
    (before,) = re.findall(
        r"10 of 10 files done, (\d+) of them before: 8 with a face, 2 without, 0 unreadable",
        ran.output,
    )
    assert before in ("2", "4")  # photos of a part
    assert "8 faces" in ran.output
    assert len(read_answers(tmp_path / "parts")) == 8
    assert not [name for name in names(tmp_path / "parts") if name.endswith(("tmp", "trying"))]
    idle = runs(*clustered_options(tmp_path, "--resume"))
    assert idle.exit_code == 0, idle.output


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--min-confidence", "0.5"], "another min_confidence"),
        (["--model", "accurate"], "another model (SHA-256)"),
    ],
)
def test_other_settings_are_not_mixed_into_a_run(
    options: list[str], why: str, runs: Runs, cluster: OneByOne, photos: Path, tmp_path: Path
) -> None:
    cluster.ends_after = 1
    assert runs(*clustered_options(tmp_path)).exit_code == 0
    refused = runs(*clustered_options(tmp_path, "--resume", *options))
    assert refused.exit_code == 2
    assert why in refused.output.replace("\n", " ")


def test_a_part_with_a_changed_photo_is_answered_again(
    runs: Runs, cluster: OneByOne, photos: Path, tmp_path: Path
) -> None:
    assert runs(*clustered_options(tmp_path)).exit_code == 0
    cluster.answered.clear()
    (photos / "06.jpg").write_bytes((photos / "03.jpg").read_bytes())
    ran = runs(*clustered_options(tmp_path, "--resume"))
    assert ran.exit_code == 0, ran.output
    assert cluster.answered == [1]
    assert len(read_answers(tmp_path / "parts")) == 7


def test_another_list_of_photos_is_not_mixed_into_a_run(
    runs: Runs, cluster: OneByOne, photos: Path, tmp_path: Path
) -> None:
    cluster.ends_after = 1
    assert runs(*clustered_options(tmp_path)).exit_code == 0
    (photos / "01.jpg").unlink()
    refused = runs(*clustered_options(tmp_path, "--resume"))
    assert refused.exit_code == 2
    assert "another list of photos" in refused.output


def test_machines_that_share_a_list_take_each_their_part(
    runs: Runs, cluster: OneByOne, tmp_path: Path
) -> None:
    ran = runs(*clustered_options(tmp_path, "--shard", "2/3"))
    assert ran.exit_code == 0, ran.output
    sources = list(read_answers(tmp_path / "parts").sort_values("frame")["source"])
    assert sources == [f"{number:02}.jpg" for number in (1, 4, 7)]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--engine", "ray"], "give --parts DIR"),
        (["--engine", "ray", "--parts", "p", "--csv", "a.csv"], "--csv is not written by"),
        (["--engine", "ray", "--parts", "p", "--frames", "3"], "--frames does nothing"),
        (["--engine", "ray", "--parts", "p", "--workers", "3"], "at most 2"),
        (["--engine", "ray", "--parts", "p", "clip.mp4"], "clip.mp4 is a recording"),
        (["--engine", "ray", "--parts", "p", "s3://key:hidden-one@b/k"], "AWS_ACCESS_KEY_ID"),
        (["--parts", "p"], "--engine ray"),
        (["--ray-address", "10.0.0.1:6379"], "--engine ray"),
    ],
)
def test_what_a_cluster_does_not_do_is_refused_by_name(
    options: list[str],
    why: str,
    runs: Runs,
    cluster: OneByOne,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clip.mp4").write_bytes(b"")
    refused = runs(*options)
    assert refused.exit_code == 2
    assert refused.output.count("error: ") == 1
    assert why in refused.output.replace("\n", " ")
    assert "hidden-one" not in refused.output
    assert not Path("p").exists()


def test_without_ray_the_line_that_installs_it_is_told(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    refused = runs(*clustered_options(tmp_path))
    assert refused.exit_code == 2
    assert "--engine ray needs Ray: " in refused.output
    assert "[ray]" in refused.output
    assert not (tmp_path / "parts").exists()


def test_a_cluster_has_no_more_workers_than_cpus() -> None:
    assert cluster_workers("auto", 7) == 7
    assert cluster_workers("7", 7) == 7
    for asked in ("8", "0", "-1", "many"):
        with pytest.raises(DcrnetError, match="7"):
            cluster_workers(asked, 7)


class _Ended(BaseException):
    """In the place of a killed process."""


def test_a_photo_that_ends_its_worker_twice_is_left_out(
    tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        rgb = synthetic_frame(seed=number)
        rgb[:] = 255 if number == 2 else rgb
        assert cv2.imwrite(str(folder / f"{number}.png"), rgb)
    marks = tmp_path / "marks"
    spec = DeadlySpec(model=tiny_model(), deaths=99, marks=marks)
    model = spec.load_model()
    photos = PhotoList.of([str(folder)])
    parts = PartsFolder(str(tmp_path / "parts"))
    (part,) = parts.begin(photos, 1, {}, resumes=False)
    facts = FrameFacts(model.card.labels, model_sha256=model.sha256)
    work = PartWork(spec, ReadOptions(), facts, parts.address)

    def end(process: int, signal: int) -> None:
        raise _Ended

    monkeypatch.setattr("deadly.os.kill", end)
    for _ in range(2):
        with pytest.raises(_Ended):
            PartWorker(work)(dict(part_row(part)))
        assert not (tmp_path / "parts" / part.name).exists()
    done = PartDone.from_text(PartWorker(work)(dict(part_row(part)))["done"])
    assert marks.read_bytes() == b"xx"
    assert (done.counts.with_faces, done.refusal) == (3, "")
    (failed,) = done.counts.failed
    assert failed.source == "2.png"
    assert "twice" in failed.reason
    assert names(tmp_path / "parts") == ["_run.json", part.name]


def test_a_worker_with_another_model_writes_nothing(tiny_model: TinyModel, tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.png"), synthetic_frame())
    parts = PartsFolder(str(tmp_path / "parts"))
    (part,) = parts.begin(PhotoList.of([str(tmp_path / "a.png")]), 1, {}, resumes=False)
    spec = DeadlySpec(model=tiny_model())
    work = PartWork(spec, ReadOptions(), FrameFacts((), model_sha256="0" * 64), parts.address)
    done = PartDone.from_text(PartWorker(work)(dict(part_row(part)))["done"])
    assert "another one" in done.refusal
    assert not (tmp_path / "parts" / part.name).exists()
