"""The toy network by its name."""

from __future__ import annotations

import copy

import pytest
from edge.toy import register_toy

from dcrnet_edge.models import registry


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_NETWORKS", copy.deepcopy(registry._NETWORKS))
    register_toy()
