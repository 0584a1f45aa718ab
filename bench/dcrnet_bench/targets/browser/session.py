"""Serves the page to one phone, and takes its one report."""

from __future__ import annotations

import hmac
import socket
import threading
import time
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dcrnet_bench.targets.browser.told import MAX_BYTES, PageReport
from dcrnet_runtime.browser.server import folder_app, folder_server
from dcrnet_runtime.errors import DcrnetError

_POLL_S = 0.1
_FAREWELL_S = 0.5


class Session:
    """One phone's visit.

    Args:
        folder: the page's.
        token: that the report has to name; good for one.
    """

    def __init__(self, folder: Path, token: str) -> None:
        self._token = token
        self._lock = threading.Lock()
        self.report: PageReport | None = None
        self._app = folder_app(folder, [Route("/report", self._take, methods=["POST"])])

    def wait(self, listening: socket.socket, patience_s: float) -> PageReport:
        """Serve until the report has come.

        Raises:
            DcrnetError: none came in time.
        """
        server = folder_server(self._app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + patience_s
        try:
            while self.report is None and time.monotonic() < deadline:
                time.sleep(_POLL_S)
            time.sleep(_FAREWELL_S if self.report else 0)  # for the answer to the phone
        finally:
            server.should_exit = True
            thread.join(5)
            listening.close()
        if self.report is None:
            raise DcrnetError(
                f"no report came from the phone within {patience_s / 60:.0f} minutes: open the"
                " address on it, and leave the page in front until it says that it has sent it"
            )
        return self.report

    async def _take(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return PlainTextResponse("The token is another one.", 401)
        content = b""
        async for chunk in request.stream():
            content += chunk
            if len(content) > MAX_BYTES:
                return PlainTextResponse(f"A report has at most {MAX_BYTES} bytes.", 413)
        try:
            report = PageReport.parse(content)
        except ValueError as error:
            return PlainTextResponse(f"This is no report: {error}.", 400)
        with self._lock:
            if self.report is not None:
                return PlainTextResponse("A report was taken before.", 409)
            self.report = report
        return PlainTextResponse("Thank you.")
