"""The bar of a run on a terminal."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from lightning.pytorch.callbacks import RichProgressBar


class ProgressBar(RichProgressBar):
    """Lightning's bar, which never hides why a run ended.

    Ended while it is just starting, it cannot join the thread that draws it: that error would
    take the place of the run's own.
    """

    def on_exception(self, *args: Any) -> None:
        """Take the bar away.

        Args:
            args: Lightning's trainer, module and exception.
        """
        with suppress(RuntimeError):
            super().on_exception(*args)
