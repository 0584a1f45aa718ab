"""A bucket on moto's server on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from dcrnet_runtime.archive.cluster import storage


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a server that has the bucket ``faces``."""
    server_module = pytest.importorskip("moto.server", reason="needs moto and flask")
    boto3 = pytest.importorskip("boto3")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    storage._bucket.cache_clear()
    try:
        client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
        reset = Request(f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset", method="POST")
        urlopen(reset).close()  # what another server of this process held is there still
        client.create_bucket(Bucket="faces")
        yield client
    finally:
        server.stop()
        storage._bucket.cache_clear()
