"""Log lines of one kind come at most once in a while, and none is lost without a count."""

from __future__ import annotations

import logging

import pytest

from dcrnet_runtime.outputs.log_limit import OncePerInterval


def test_one_line_of_a_kind_in_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 100.0
    log = logging.getLogger("test-log-limit")
    limit = OncePerInterval(clock=lambda: now_s)
    log.addFilter(limit)
    try:
        for _ in range(1000):
            log.warning("refused %s", "a")
        log.warning("refused %s", "b")  # of another kind
        now_s += 10
        log.warning("refused %s", "a")
        log.warning("refused %s", "a")
    finally:
        log.removeFilter(limit)
    assert caplog.messages == ["refused a", "refused b", "refused a (and 999 more like it)"]
