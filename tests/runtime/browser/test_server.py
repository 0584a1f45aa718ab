"""The page's server: what a browser needs to compute with threads, by HTTP and HTTPS."""

from __future__ import annotations

import http.client
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dcrnet_runtime.browser.certificate import Certificate
from dcrnet_runtime.outputs.page.address import PageAddress

pytest.importorskip("starlette", reason="needs the serve extra")
pytest.importorskip("uvicorn", reason="needs the serve extra")

from dcrnet_runtime.browser.server import folder_app, folder_server


@contextmanager
def served(folder: Path, certificate: Certificate | None = None) -> Iterator[int]:
    """Its port."""
    listening = PageAddress("127.0.0.1", 0).listen()
    server = folder_server(folder_app(folder), certificate)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("page " * 1000)
    (tmp_path / "secret").write_text("secret")
    return folder


def test_files_come_compressed_with_the_headers_that_threads_need(folder: Path) -> None:
    with served(folder) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(answer.read()) < 1000
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        kept = {"If-None-Match": answer.headers["ETag"]}
        connection.request("GET", "/", headers=kept)
        again = connection.getresponse()
        again.read()
        assert again.status == 304
        connection.request("GET", "/..%2fsecret")
        assert connection.getresponse().status == 404


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_a_self_made_certificate_is_of_the_address(folder: Path, tmp_path: Path) -> None:
    certificate = Certificate.make(tmp_path, ["127.0.0.1", "localhost"])
    context = ssl.create_default_context(cafile=str(certificate.chain))
    with served(folder, certificate) as port:
        for host in ("127.0.0.1", "localhost"):
            connection = http.client.HTTPSConnection(host, port, timeout=10, context=context)
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
