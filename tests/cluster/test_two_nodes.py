"""Two machines of a Ray cluster, one of which is lost in the middle; as ever a local stand-in."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from marking import MarkingSpec, write_marked_photos
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_runtime.answers.reading import read_answers
from dcrnet_runtime.archive import ReadOptions
from dcrnet_runtime.archive.cluster.part_worker import PartWork
from dcrnet_runtime.archive.cluster.parts_folder import PartsFolder
from dcrnet_runtime.archive.cluster.photo_list import PhotoList
from dcrnet_runtime.cli.run import app
from dcrnet_runtime.outputs import FrameFacts

pytestmark = pytest.mark.cluster

PHOTOS = 96


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A cluster of two nodes with a CPU each, this process being on the first; and the second."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # on loopback alone
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), *_paths()]))
    pytest.importorskip("ray", reason="needs the ray extra")
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as own:
        head = {"num_cpus": 1, "include_dashboard": False, "temp_dir": own}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            second = cluster.add_node(num_cpus=1, temp_dir=own)
            cluster.wait_for_nodes()
            yield cluster, second
        finally:
            cluster.shutdown()


def _paths() -> list[str]:
    import sys

    return [path for path in sys.path if path]


def test_a_lost_nodes_photos_are_answered_by_the_other_one_once_and_as_by_one_machine(
    nodes: tuple[Any, Any], portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    import pandas as pd

    from dcrnet_runtime.archive.cluster.ray_cluster import ray_cluster

    cluster, second = nodes
    own_marks = write_marked_photos(tmp_path / "photos", portrait, PHOTOS)
    marks = tmp_path / "marks"
    marks.mkdir()
    spec = MarkingSpec(model="fast", marks=marks, least_s=0.05)
    model = spec.load_model()
    facts = FrameFacts(model.card.labels, model_sha256=model.sha256)
    photos = PhotoList.of([str(tmp_path / "photos")])
    folder = PartsFolder(str(tmp_path / "parts"))
    parts = folder.begin(photos, 2, {}, resumes=False)
    assert len(parts) == 6
    lost = second.node_id
    with ray_cluster(cluster.address) as workers:
        assert workers.cpus == 2
        answers = workers.done(
            PartWork(spec, ReadOptions(), facts, folder.address), parts, workers.cpus
        )
        said = [next(answers)]
        while not any(marks.glob(f"{lost}-*")):
            said.append(next(answers))
        assert len(said) < len(parts) - 1
        cluster.remove_node(second, allow_graceful=False)
        said += answers
    assert not [each.refusal for each in said if each.refusal]
    assert sorted(path.name for path in (tmp_path / "parts").glob("*.parquet")) == [
        part.name for part in parts
    ]

    # What is looked at besides is a photo without a face once more, with a margin.
    seen = {
        path.name: [mark for mark in path.read_text().split() if mark in own_marks]
        for path in marks.iterdir()
    }
    assert {name.partition("-")[0] == lost for name in seen} == {True, False}
    times = Counter(mark for each in seen.values() for mark in each)
    assert times.keys() == own_marks
    again = {mark for mark, count in times.items() if count > 1}
    begun = {m for name, each in seen.items() if name.startswith(lost) for m in each}
    assert again
    assert again <= begun  # what the lost node had in work, and nothing else

    one = tmp_path / "one.parquet"
    alone = CliRunner().invoke(
        app,
        [str(tmp_path / "photos"), "--parquet", str(one), "--model", "fast", "--workers", "1"],
    )
    assert alone.exit_code == 0, alone.output
    wanted = read_answers(one)
    found = read_answers(tmp_path / "parts").sort_values("frame").reset_index(drop=True)
    assert len(wanted) == PHOTOS - PHOTOS // 8
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)
