"""``dcrnet-run --engine ray`` with a cluster that it starts on this machine, and ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from marking import write_marked_photos
from numpy.typing import NDArray
from typer.testing import CliRunner

from dcrnet_runtime.answers.reading import read_answers
from dcrnet_runtime.cli.run import app

pytestmark = pytest.mark.cluster

PHOTOS = 20
_RUN = "from dcrnet_runtime.cli.run import app; app()"
_LOOK = """
import json, os, stat, psutil
from dcrnet_runtime.archive.cluster.ray_cluster import ray_cluster
with ray_cluster("local") as cluster:
    import ray
    from ray._common import usage
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = [each.laddr.ip for process in processes for each in process.net_connections()
                 if each.status == psutil.CONN_LISTEN]
    folder = os.path.dirname(ray._private.worker._global_node.temp_dir)
    told = {
        "addresses": sorted({address.removeprefix("::ffff:") for address in listening}),
        "folder": folder,
        "mode": stat.S_IMODE(os.stat(folder).st_mode),
        "counts": usage.usage_lib.usage_stats_enabled(),
        "has_dashboard": bool(ray._private.worker._global_node.webui_url),
    }
print(json.dumps({**told, "is_left": os.path.exists(folder)}))
"""


def run_alone(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, as Ray is set up by the first import of it."""
    pytest.importorskip("ray", reason="needs the ray extra")
    environment = {**os.environ, "RAY_worker_niceness": "0"}
    environment.pop("RAY_ADDRESS", None)
    environment.pop("RAY_USAGE_STATS_ENABLED", None)
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_objects_have_the_answers_that_files_have(
    bucket: Any, portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    import pandas as pd

    write_marked_photos(tmp_path / "photos", portrait, PHOTOS)
    for path in sorted((tmp_path / "photos").iterdir()):
        bucket.upload_file(str(path), "faces", f"in/{path.name}")
    asked = ("s3://faces/in", "--engine", "ray", "--parts", "s3://faces/out", "--model", "fast")
    ran = run_alone(_RUN, *asked)
    assert ran.returncode == 0, ran.stderr
    assert (
        f"{PHOTOS} of {PHOTOS} files done: 18 with a face, 2 without, 0 unreadable."
        in " ".join(ran.stderr.split())
    )
    parts = tmp_path / "parts"
    parts.mkdir()
    for each in bucket.list_objects_v2(Bucket="faces", Prefix="out/part-")["Contents"]:
        bucket.download_file("faces", each["Key"], str(parts / Path(each["Key"]).name))
    assert [path.name for path in sorted(parts.iterdir())] == [
        "part-000000.parquet",
        "part-000001.parquet",
    ]
    one = tmp_path / "one.parquet"
    alone = CliRunner().invoke(
        app, [str(tmp_path / "photos"), "--parquet", str(one), "--model", "fast"]
    )
    assert alone.exit_code == 0, alone.output
    found = read_answers(parts).sort_values("frame").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, read_answers(one), check_exact=True)

    again = run_alone(_RUN, *asked, "--resume")
    assert again.returncode == 0, again.stderr
    assert (
        f"{PHOTOS} of {PHOTOS} files done, {PHOTOS} of them before: 18 with a face, 2 without,"
        " 0 unreadable." in " ".join(again.stderr.split())
    )


def test_the_cluster_is_reached_by_nobody_else_and_leaves_nothing() -> None:
    pytest.importorskip("psutil")
    ran = run_alone(_LOOK)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout.splitlines()[-1])
    assert set(told["addresses"]) <= {"127.0.0.1", "::1"}
    assert told["addresses"]
    assert told["mode"] == 0o700
    assert not told["counts"]
    assert not told["has_dashboard"]
    assert not told["is_left"]
