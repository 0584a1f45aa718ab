"""Drives a headless Chromium over its debugging pipe."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

PATH = shutil.which("chromium") or shutil.which("chromium-browser")
_WAIT_S = 60
_LEFT = "Inspected target navigated or closed"


class PageLeftError(Exception):
    """The page that was asked made room for another one."""


class Tab:
    """One page of a browser.

    Args:
        profile: a folder of its own.
        flags: more of Chromium's options.

    Attributes:
        problems: errors and warnings that the page has written to its console.
    """

    def __init__(self, profile: Path, *flags: str) -> None:
        assert PATH is not None
        read_end, self._out = os.pipe()
        self._in, write_end = os.pipe()

        def place() -> None:  # Chromium reads commands from 3 and answers on 4
            spare = [os.dup2(end, 10 + i) for i, end in enumerate((read_end, write_end))]
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        self._browser = subprocess.Popen(
            [
                *(PATH, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-dev-shm-usage", "--remote-debugging-pipe"),
                *("--disable-background-networking", "--disable-component-update"),
                *("--disable-sync", f"--user-data-dir={profile}", *flags, "about:blank"),
            ],
            preexec_fn=place,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_end)
        os.close(write_end)
        self._buffer = b""
        self._id = 0
        self._session: str | None = None
        self.problems: list[str] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Tab:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._browser.kill()
        self._browser.wait()
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the DevTools protocol and its result."""
        self._id += 1
        message: dict[str, Any] = {"id": self._id, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._id:
                if answer.get("error", {}).get("message") == _LEFT:
                    raise PageLeftError(answer)
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)
        raise AssertionError("Chromium has ended")

    def open(self, url: str) -> None:
        """Go to a page."""
        self.call("Page.navigate", url=url)

    def look(self, width: int, height: int, scheme: str, scale: float = 1) -> None:
        """Set window size in CSS px and colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def value(self, expression: str) -> Any:
        """Of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, limit_s: float = _WAIT_S) -> Any:
        """Until the expression is true; its value. The page may be left meanwhile for another."""
        deadline = time.monotonic() + limit_s
        while True:
            with suppress(PageLeftError):
                if value := self.value(expression):
                    return value
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(0.05)

    def screenshot(self, path: Path) -> None:
        """Write what is seen as PNG."""
        shot = self.call("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(shot["data"]))

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" in self._buffer:
                message, _, self._buffer = self._buffer.partition(b"\0")
                yield json.loads(message)
            chunk = os.read(self._in, 1 << 16)
            if not chunk:
                return
            self._buffer += chunk

    def _note(self, event: dict[str, Any]) -> None:
        match event.get("method"):
            case "Log.entryAdded":
                self.problems.append(event["params"]["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.problems.append(str(event["params"]["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.problems.append(str(event["params"]["args"]))
