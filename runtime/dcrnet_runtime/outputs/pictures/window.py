"""A window that shows the annotated picture."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata

import cv2

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import package_command
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.output import Failing
from dcrnet_runtime.outputs.pictures.annotation import annotated

_TITLE = "dcrnet-run: q or Esc closes"
_OR_BROWSER = "or look at the picture in a browser with `serve` 8080"
_TRIAL_S = 30
_QUIT_KEYS = frozenset({ord("q"), ord("Q"), 27})


class Window:
    """OpenCV's window; closing it, q or Esc wants the run stopped.

    Shown from the thread that offers, which on macOS has to be the main one.

    Args:
        waits_for_key: show each picture until a key is pressed, for photos.
        is_stopping: whether the run is being stopped.

    Raises:
        DcrnetError: this OpenCV has no windows, or there is no screen to show one on.
    """

    name = "window"
    failing: Failing | None = None

    def __init__(
        self, *, waits_for_key: bool = False, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self.failures = 0
        self.wants_stop = False
        self.error: str | None = None
        self._is_shown = False
        self._waits_for_key = waits_for_key
        self._is_stopping = is_stopping
        _check_screen()

    def offer(self, observation: Observation, unix_s: float) -> None:
        """Show the frame."""
        if self.wants_stop or self.error is not None:
            return
        try:
            self._show(observation)
        except cv2.error as error:
            self.failures += 1
            self.error = f"the window cannot be shown: {error}".strip()

    def close(self) -> None:
        """Remove the window."""
        if self._is_shown and self.error is None and not self._is_closed():
            cv2.destroyWindow(_TITLE)

    def _show(self, observation: Observation) -> None:
        if self._is_shown and self._is_closed():
            self.wants_stop = True
            return
        if not self._is_shown:
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
            cv2.resizeWindow(_TITLE, *reversed(observation.frame.rgb.shape[:2]))
            self._is_shown = True
        picture = annotated(observation)
        cv2.imshow(_TITLE, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        key = self._awaited_key() if self._waits_for_key else cv2.pollKey()
        self.wants_stop = key & 0xFF in _QUIT_KEYS

    def _awaited_key(self) -> int:
        key = -1
        while key < 0 and not self._is_closed() and not self._is_stopping():
            key = cv2.waitKey(50)
        return key

    def _is_closed(self) -> bool:
        try:
            return bool(cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1)
        except cv2.error:  # Qt's answer when its last window is gone
            return True


def _headless_version() -> str:
    try:
        return metadata.version("opencv-python-headless")
    except metadata.PackageNotFoundError:
        return f"{cv2.__version__}.*"


def _check_screen() -> None:
    if re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
        options = ("--force-reinstall", "--no-deps")
        command = package_command(f"opencv-python=={_headless_version()}", options=options)
        raise DcrnetError(
            f"`show` needs an OpenCV with windows, this one is headless: {command}; {_OR_BROWSER}"
        )
    # A Qt that finds no screen ends its process, so another one tries.
    trial = [sys.executable, "-c", "import cv2; cv2.namedWindow('trial')"]
    try:
        works = subprocess.run(trial, capture_output=True, timeout=_TRIAL_S).returncode == 0
    except subprocess.TimeoutExpired:
        works = False
    if not works:
        raise DcrnetError(
            f"`show` found no screen (DISPLAY is {os.environ.get('DISPLAY') or 'not set'}): start"
            f" it on the desktop; {_OR_BROWSER}"
        )
