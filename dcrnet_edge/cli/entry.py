"""The entry of ``dcrnet-train``, whose imports take so long that people interrupt them."""

from __future__ import annotations

import signal


def train() -> None:
    """Run the command; until its run begins, SIGINT ends the process by the signal itself.

    As an exception in the middle of an import it would be a traceback of other people's modules,
    or be lost in one of them that catches everything. From then on
    :func:`dcrnet_edge.training.interruption.stoppable` says what it does.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dcrnet_edge.cli.train import app

    app()
