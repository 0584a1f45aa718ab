"""Which files are asked about: shares, repeats, and lists with entries that are none."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import pytest
from generated import synthetic_frame

from dcrnet_runtime.archive.item import Shard
from dcrnet_runtime.archive.processes import cores
from dcrnet_runtime.archive.processes.cores import worker_count
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.files.inputs import inputs_of, listed_inputs


def photo(path: Path) -> Path:
    assert cv2.imwrite(str(path), synthetic_frame())
    return path


def test_shares_have_every_item_once_and_in_order() -> None:
    items = list(range(11))
    shares = [Shard.parse(f"{number}/3").of(items) for number in (1, 2, 3)]
    assert shares == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8]]
    assert Shard().of(items) == items


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1/0", "1", "a/b", "1/2/3", "-1/2", "1/ 2"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(DcrnetError, match="is no share: give 1/4 to the first"):
        Shard.parse(text)


def test_workers_are_bounded_by_cores_memory_and_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "_cores", lambda: 8)
    monkeypatch.setattr(cores, "_memory_bytes", lambda: 100 * cores.WORKER_BYTES)
    assert worker_count("auto", 10_000) == 8
    assert worker_count("auto", 64) == 2
    assert worker_count("auto", 1) == 1
    monkeypatch.setattr(cores, "_memory_bytes", lambda: int(3.5 * cores.WORKER_BYTES))
    assert worker_count("auto", 10_000) == 3
    assert worker_count("16", 10_000) == 16
    assert worker_count("16", 5) == 5
    for wrong in ("0", "-1", "two", "1.5", "257", ""):
        with pytest.raises(DcrnetError, match="is no number of processes: give auto, or 1 to 256"):
            worker_count(wrong, 10)


def test_a_file_that_is_named_twice_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = photo(tmp_path / "a.png"), photo(tmp_path / "b.png")
    monkeypatch.chdir(tmp_path)
    addresses = [str(one), "./a.png", str(two), "a.png", str(tmp_path)]
    for inputs in (inputs_of(addresses), listed_inputs(addresses)):
        assert inputs.paths == (one, two)
        assert inputs.names == ("a.png", "b.png")
        assert inputs.skipped == "4 named more than once"


def test_a_list_goes_on_behind_what_is_not_there(tmp_path: Path) -> None:
    good, gone = photo(tmp_path / "a.png"), tmp_path / "gone.png"
    (tmp_path / "empty").mkdir()
    inputs = listed_inputs([str(gone), str(tmp_path / "empty"), str(good)])
    assert inputs.paths == (gone, tmp_path / "empty", good)
    assert "does not exist or is no file" in inputs.unreadable[gone]
    assert "holds no image" in inputs.unreadable[tmp_path / "empty"]
    assert good not in inputs.unreadable
    with pytest.raises(DcrnetError, match="is live and goes on by itself"):
        listed_inputs([str(good), "rtsp://127.0.0.1:9/1"])
    with pytest.raises(DcrnetError, match="standard input is live"):
        listed_inputs([str(good), "-"])


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("open", "shut"):
        (tmp_path / folder).mkdir()
        photo(tmp_path / folder / "x.png")
    scandir = os.scandir

    def refusing(path: str) -> object:  # permissions do not keep an administrator out
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    inputs = inputs_of([f"{tmp_path}/**/*.png"])
    assert inputs.paths == (tmp_path / "open" / "x.png", tmp_path / "shut")
    shut = tmp_path / "shut"
    denied = f"folder {shut} cannot be read: Permission denied"
    told = f"{denied}; let this user read it: chmod u+rx {shut}"
    assert inputs.unreadable == {shut: told}
