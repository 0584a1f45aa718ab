"""The schema of the bench's JSON is that of what it prints."""

from __future__ import annotations

import pytest
from docs.write_schema import PATH, text


def test_the_schema_is_that_of_the_classes() -> None:
    pytest.importorskip("pydantic", reason="needs the train extra")
    assert PATH.read_text() == text(), "run: python tests/docs/write_schema.py"
