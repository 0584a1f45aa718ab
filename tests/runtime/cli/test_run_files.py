"""``dcrnet-run`` on many files: counts, lists of what failed, and runs that go on after a kill."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from generated import FixedDetector, TinyModel, synthetic_face, synthetic_frame, write_clip
from typer.testing import CliRunner, Result

from dcrnet_runtime.cli import run as cli
from dcrnet_runtime.outputs.lines import line_file
from dcrnet_runtime.preprocess.spec import PreprocessSpec

COMMAND = [sys.executable, "-c", "from dcrnet_runtime.cli.run import app; app()"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture
def one_face(monkeypatch: pytest.MonkeyPatch) -> FixedDetector:
    detector = FixedDetector(synthetic_face())
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: detector
    )
    return detector


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six photos and a clip of three frames between them."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        frame = np.roll(synthetic_frame(), 9 * number, axis=2)
        assert cv2.imwrite(str(folder / f"{number}.png"), frame)
    write_clip(folder / "3clip.avi", 3)
    return folder


def expect_refusal(result: Result, *parts: str) -> None:
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    for part in parts:
        assert part in line


def last_line(result: Result) -> str:
    return [line for line in result.stderr.splitlines() if " files done" in line][-1]


def told(path: Path) -> list[dict[str, Any]]:
    """The answers in a file, without what depends on the time of day."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        record.pop("latency_ms", None)
        record.pop("delay_ms", None)
    return records


def test_the_last_line_counts_and_says_where_the_time_went(
    folder: Path, tiny_model: TinyModel, tmp_path: Path, one_face: FixedDetector
) -> None:
    (folder / "9.jpg").write_bytes(b"nothing")
    out = tmp_path / "a.jsonl"
    result = run(folder, "--model", tiny_model(), "--jsonl", out)
    assert result.exit_code == 2
    line = last_line(result)
    assert line.startswith("8 of 8 files done: 7 with a face, 0 without, 1 unreadable. 9 faces; ")
    for part in ("files/s by 1 worker (", " MB each); decode ", " %, find ", "prepare", "infer"):
        assert part in line
    (failed,) = map(json.loads, Path(f"{out}.failed.jsonl").read_text().splitlines())
    assert failed["path"] == str(folder / "9.jpg")
    assert failed["source"] == "9.jpg"
    assert "9.jpg is no image that can be decoded" in failed["reason"]
    (folder / "9.jpg").unlink()
    assert run(folder, "--model", tiny_model(), "--jsonl", out).exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("a.jsonl*")) == ["a.jsonl"]


def test_shares_make_up_the_whole(
    folder: Path, tiny_model: TinyModel, tmp_path: Path, one_face: FixedDetector
) -> None:
    asked = (folder, "--model", tiny_model(), "--jsonl")
    assert run(*asked, tmp_path / "all.jsonl").exit_code == 0
    names = []
    for number in (1, 2):
        out = tmp_path / f"{number}.jsonl"
        assert run(*asked, out, "--shard", f"{number}/2").exit_code == 0
        names.append({record["source"] for record in told(out)})
    assert names[0] == {"0.png", "2.png", "3clip.avi", "5.png"}
    assert names[0] | names[1] == {record["source"] for record in told(tmp_path / "all.jsonl")}
    assert not names[0] & names[1]
    expect_refusal(run(*asked, "-", "--shard", "3/2"), "--shard 3/2 is no share")


def test_two_workers_write_what_one_does(tiny_model: TinyModel, folder: Path) -> None:
    asked = (folder, "--model", tiny_model(), "--detector", "cascade", "--workers")
    one, two = run(*asked, 1), run(*asked, 2)
    assert "by 2 workers" in last_line(two)
    lines = [[json.loads(line) for line in each.stdout.splitlines()] for each in (one, two)]
    for records in lines:
        for record in records:
            record.pop("latency_ms", None)
            record.pop("delay_ms", None)
    assert len(lines[0]) == 9
    assert lines[0] == lines[1]


def test_a_list_is_read_to_its_end(
    folder: Path, tiny_model: TinyModel, tmp_path: Path, one_face: FixedDetector
) -> None:
    listed = tmp_path / "list"
    entries = [folder / "0.png", folder / "gone.png", folder / "0.png", folder / "1.png"]
    listed.write_bytes(b"".join(os.fsencode(entry) + b"\0" for entry in entries))
    out = tmp_path / "a.jsonl"
    result = run("--from", listed, "-0", "--model", tiny_model(), "--jsonl", out)
    assert result.exit_code == 2
    assert [record["source"] for record in told(out)] == ["0.png", "1.png"]
    assert "Left out: 1 named more than once." in result.stderr
    assert "1 unreadable" in last_line(result)
    assert "gone.png' does not exist" in Path(f"{out}.failed.jsonl").read_text()


def test_a_file_that_vanishes_meanwhile_is_named(
    folder: Path, tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Vanishing(FixedDetector):
        def find(self, *args: Any, **options: Any) -> Any:
            (folder / "5.png").unlink(missing_ok=True)
            return super().find(*args, **options)

    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector",
        lambda *_, **__: Vanishing(synthetic_face()),
    )
    out = tmp_path / "a.jsonl"
    result = run(folder, "--model", tiny_model(), "--jsonl", out, "--resume")
    assert result.exit_code == 2
    assert len(told(out)) == 8
    assert "5.png' does not exist" in Path(f"{out}.failed.jsonl").read_text()


@pytest.fixture
def resumed(folder: Path, tiny_model: TinyModel, one_face: FixedDetector) -> Callable[..., Result]:
    """Runs on the folder with two outputs that are gone on with."""
    model = tiny_model()

    def go(out: Path, *more: object) -> Result:
        files = ("--jsonl", out / "a.jsonl", "--csv", out / "a.csv")
        return run(folder, "--model", model, *files, "--resume", *more)

    return go


def test_a_run_goes_on_from_whatever_a_kill_left(
    resumed: Callable[..., Result], tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    assert resumed(whole).exit_code == 0
    names = ("a.jsonl", "a.csv")
    contents = {name: (whole / name).read_bytes() for name in names}
    journal = (whole / "a.jsonl.progress").read_bytes()
    lines = journal.splitlines(keepends=True)
    ends: list[dict[str, int]] = [{"jsonl": 0, "csv": 0}]
    ends += [json.loads(line)["positions"] for line in lines[1:]]
    total = {"jsonl": len(contents["a.jsonl"]), "csv": len(contents["a.csv"])}
    assert ends[-1] == total
    for count, (end, following) in enumerate(zip(ends, [*ends[1:], total], strict=True)):
        noted = sum(map(len, lines[: count + 1]))
        # Torn anywhere between two items: outputs ahead of the journal, and half of its next line.
        for share, torn in ((0.0, 0), (0.5, 1), (1.0, 40)):
            out = tmp_path / f"{count}-{share}"
            out.mkdir()
            for name in names:
                kind = name.partition(".")[2]
                reached = end[kind] + round(share * (following[kind] - end[kind]))
                (out / name).write_bytes(contents[name][:reached])
            (out / "a.jsonl.progress").write_bytes(journal[: noted + torn])
            result = resumed(out)
            assert result.exit_code == 0, result.output
            before = f", {count} of them before" if count else ""
            counts = "7 with a face, 0 without, 0 unreadable."
            assert f"7 of 7 files done{before}: {counts}" in last_line(result)
            assert told(out / "a.jsonl") == told(whole / "a.jsonl")
            assert (out / "a.csv").read_bytes() == contents["a.csv"]


def test_answers_that_a_power_cut_took_are_given_again(
    resumed: Callable[..., Result], tmp_path: Path
) -> None:
    assert resumed(tmp_path).exit_code == 0
    answers = told(tmp_path / "a.jsonl")
    content = (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "a.jsonl").write_bytes(content[: len(content) // 2])  # the journal is whole
    assert resumed(tmp_path).exit_code == 0
    assert told(tmp_path / "a.jsonl") == answers


def test_a_finished_run_has_nothing_left_and_takes_what_is_new(
    resumed: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    assert resumed(tmp_path).exit_code == 0
    before = {path: path.read_bytes() for path in tmp_path.glob("a.*")}
    again = resumed(tmp_path)
    assert again.exit_code == 0, again.output
    assert "7 of 7 files done, 7 of them before: 7 with a face, 0 without" in last_line(again)
    assert {path: path.read_bytes() for path in tmp_path.glob("a.*")} == before
    assert cv2.imwrite(str(folder / "0new.png"), synthetic_frame())
    assert resumed(tmp_path).exit_code == 0
    new = told(tmp_path / "a.jsonl")[9:]
    assert [(record["source"], record["frame"]) for record in new] == [("0new.png", 6)]


def test_a_full_disk_ends_a_run_that_then_goes_on(
    resumed: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resumed(tmp_path / "whole").exit_code == 0
    written, write_line = 0, line_file.write_line

    def full(file: int, line: str) -> None:
        nonlocal written
        written += 1
        if written > 7:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_line(file, line)

    with monkeypatch.context() as patch:
        patch.setattr(line_file, "write_line", full)
        result = resumed(tmp_path)
    assert result.exit_code == 2
    assert "could not be written (No space left on device)" in result.stderr
    assert len(told(tmp_path / "a.jsonl")) < 9
    assert resumed(tmp_path).exit_code == 0
    assert told(tmp_path / "a.jsonl") == told(tmp_path / "whole" / "a.jsonl")
    table = (tmp_path / "a.csv").read_bytes()
    assert table == (tmp_path / "whole" / "a.csv").read_bytes()


def test_what_was_made_otherwise_is_not_gone_on_with(
    resumed: Callable[..., Result], tiny_model: TinyModel, folder: Path, tmp_path: Path
) -> None:
    assert resumed(tmp_path).exit_code == 0
    before = {path: path.read_bytes() for path in tmp_path.glob("a.*")}
    other = tiny_model(name="other.onnx", spec=PreprocessSpec(size_px=96))
    expect_refusal(resumed(tmp_path, "--model", other), "made with another model (SHA-256)")
    refused = resumed(tmp_path, "--max-faces", 3)
    expect_refusal(refused, "made with another max_faces (10, now 3): go on with that one")
    head, *rest = (tmp_path / "a.jsonl.progress").read_text().splitlines(keepends=True)
    (tmp_path / "a.jsonl.progress").write_text(
        head.replace('"schema": 1', '"schema": 0') + "".join(rest)
    )
    expect_refusal(resumed(tmp_path), "made with another schema (0, now 1)")
    (tmp_path / "a.jsonl.progress").write_text("a note of mine\n")
    expect_refusal(resumed(tmp_path), "a.jsonl.progress is no journal of a run")
    (tmp_path / "a.jsonl.progress").unlink()
    expect_refusal(resumed(tmp_path), "there are answers, but no", "leave --resume out")
    kept = {path: content for path, content in before.items() if path.suffix != ".progress"}
    assert {path: path.read_bytes() for path in tmp_path.glob("a.*")} == kept


def test_a_file_that_was_changed_is_not_answered_twice(
    resumed: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    assert resumed(tmp_path).exit_code == 0
    assert cv2.imwrite(str(folder / "2.png"), synthetic_frame(seed=9))
    os.utime(folder / "2.png", ns=(1, 1))
    expect_refusal(resumed(tmp_path), "2.png was changed after it was answered", "begin anew")
    (folder / "2.png").unlink()
    assert resumed(tmp_path).exit_code == 0


def test_two_runs_do_not_share_an_output(resumed: Callable[..., Result], tmp_path: Path) -> None:
    import fcntl

    assert resumed(tmp_path).exit_code == 0
    with (tmp_path / "a.jsonl.progress").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        expect_refusal(resumed(tmp_path), "is being written by another run")


def test_a_recording_that_breaks_off_is_answered_once_and_named_again(
    resumed: Callable[..., Result], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dcrnet_runtime.errors import SourceLostError
    from dcrnet_runtime.stream import Stream

    plain = Stream._run

    def breaking(self: Stream) -> Any:
        yield from list(plain(self))[:2]
        raise SourceLostError("it broke off")

    monkeypatch.setattr(Stream, "_run", breaking)
    for _ in range(2):
        result = resumed(tmp_path)
        assert result.exit_code == 2
        assert "1 unreadable" in last_line(result)
        assert len(told(tmp_path / "a.jsonl")) == 8
        (failed,) = (tmp_path / "a.jsonl.failed.jsonl").read_text().splitlines()
        assert json.loads(failed)["reason"] == "it broke off"


def test_a_recording_that_is_cut_off_is_listed_and_its_rows_are_not_doubled(
    resumed: Callable[..., Result], folder: Path, tmp_path: Path
) -> None:
    whole = write_clip(folder / "3clip.avi", 12).read_bytes()
    (folder / "3clip.avi").write_bytes(whole[: len(whole) * 6 // 10])
    lines = []
    for times_said in (1, 0):
        result = resumed(tmp_path)
        assert result.exit_code == 2
        assert result.stderr.count("3clip.avi is cut off or damaged") == times_said
        assert (
            last_line(result)
            .partition(": ")[2]
            .startswith("6 with a face, 0 without, 1 unreadable")
        )
        lines.append(told(tmp_path / "a.jsonl"))
        (failed,) = (tmp_path / "a.jsonl.failed.jsonl").read_text().splitlines()
        assert json.loads(failed)["reason"].endswith("; copy it again")
    assert lines[0] == lines[1]
    assert 2 < sum(line["source"] == "3clip.avi" for line in lines[0]) < 12


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("--resume",), "--resume wants a file to go on with"),
        (("--resume", "--jsonl", "-"), "--jsonl cannot be gone on with"),
        (("--resume", "--csv", "/dev/null"), "name no device or pipe"),
        (("--resume", "--csv", "a.csv", "--save", "drawn"), "--save cannot be gone on with"),
        (("--workers", "2", "--save", "drawn"), "send no pictures back, which --save needs"),
        (("--workers", "none"), "--workers none is no number of processes"),
    ],
)
def test_options_that_contradict_each_other(
    asked: tuple[str, ...], why: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expect_refusal(run(folder, *asked), why)


def test_a_camera_is_no_archive() -> None:
    for asked in (("--resume", "--csv", "a.csv"), ("--shard", "1/2"), ("--workers", "2")):
        expect_refusal(run("--camera", 0, *asked), "are for photos and recordings in files")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Enough photos that a run is met in the middle of them."""
    folder = tmp_path / "archive"
    folder.mkdir()
    frame = synthetic_frame()
    for number in range(60):
        moved = np.roll(frame, number, axis=1)
        assert cv2.imwrite(str(folder / f"{number:03}.jpg"), moved)
    return folder


def started(archive: Path, model: Path, out: Path, lines: int) -> subprocess.Popen[str]:
    """A run by two workers, once it has answered some photos."""
    process = subprocess.Popen(
        [
            *(*COMMAND, str(archive), "--model", str(model), "--detector", "cascade"),
            *("--workers", "2", "--resume", "--jsonl", str(out)),
        ],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.poll() is None:
        if out.is_file() and out.read_bytes().count(b"\n") >= lines:
            break
        time.sleep(0.01)
    return process


def is_gone(session: int) -> bool:
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return True
    return False


def test_killed_and_interrupted_runs_leave_nothing_behind_and_go_on(
    archive: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    model, out = tiny_model(), tmp_path / "a.jsonl"
    killed = started(archive, model, out, 10)
    killed.kill()
    killed.communicate(timeout=600)
    until_s = time.monotonic() + 600
    while not is_gone(killed.pid) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert is_gone(killed.pid)  # workers end by themselves
    interrupted = started(archive, model, out, 30)
    with suppress(ProcessLookupError):  # where it has come to its end
        os.killpg(interrupted.pid, signal.SIGINT)
    _, said = interrupted.communicate(timeout=600)
    assert interrupted.returncode in (0, 2), said  # 2: it had come to the end, without any face
    assert "Traceback" not in said
    assert is_gone(interrupted.pid)
    last = started(archive, model, out, 61)
    last.communicate(timeout=600)
    records = told(out)
    assert [record["source"] for record in records] == [f"{n:03}.jpg" for n in range(60)]
    assert [record["frame"] for record in records] == list(range(60))
