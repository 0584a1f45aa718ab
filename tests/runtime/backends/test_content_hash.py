"""A model file's hash of its own content: what it covers, what it lets pass, what it costs."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from generated import TinyModel

from dcrnet_runtime.backends.content_hash import (
    HASH_KEY,
    content_sha256,
    hashes_of,
    onnx_metadata,
    tflite_metadata,
)
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import shipped_model

onnx = pytest.importorskip("onnx")


def sealed(path: Path, change: Callable[[Any], None] = lambda model: None) -> Path:
    """The model with a hash of its content, and then changed."""
    model = onnx.load(path)
    card = {each.key: each.value for each in model.metadata_props}["dcrnet"]
    del model.metadata_props[:]
    digest = content_sha256(model.SerializeToString(), card)
    onnx.helper.set_model_props(model, {"dcrnet": card, HASH_KEY: digest})
    change(model)
    onnx.save(model, path)
    return path


def with_another_weight(model: Any) -> None:
    weights = model.graph.initializer[0]
    weights.raw_data = bytes([weights.raw_data[0] ^ 1]) + weights.raw_data[1:]


def with_other_labels(model: Any) -> None:
    card = model.metadata_props[0]
    card.value = card.value.replace("anger", "angst")


def with_foreign_metadata(model: Any) -> None:
    model.metadata_props.add(key="optimizer", value="of someone else")


def test_a_whole_file_is_taken_without_a_word(
    tiny_model: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    path = sealed(tiny_model())
    assert load_model(path).sha256 == sha256(path.read_bytes()).hexdigest()
    assert caplog.text == ""


@pytest.mark.parametrize("change", [with_another_weight, with_other_labels])
def test_a_changed_file_is_refused(change: Callable[[Any], None], tiny_model: TinyModel) -> None:
    with pytest.raises(DcrnetError, match=r"tiny\.onnx is not as it was exported"):
        load_model(sealed(tiny_model(), change))


def test_metadata_of_others_and_another_order_of_it_are_no_damage(tiny_model: TinyModel) -> None:
    path = sealed(tiny_model(), with_foreign_metadata)
    load_model(path)
    content = path.read_bytes()
    metadata = onnx_metadata(content)
    assert metadata is not None
    (start, end) = metadata.rest[0]
    path.write_bytes(content[end:] + content[start:end])
    load_model(path)
    moved = onnx_metadata(path.read_bytes())
    assert moved is not None
    assert hashes_of(path.read_bytes(), moved).file == (sha256(path.read_bytes()).hexdigest())


def test_a_file_without_a_hash_is_taken_with_a_notice(
    tiny_model: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load_model(tiny_model())
    assert "tiny.onnx carries no hash of its content" in caplog.text


def test_each_flipped_bit_of_the_shipped_model_is_found(tmp_path: Path) -> None:
    """None loads: 40 bits, drawn from the whole file; most answer plausibly without the hash."""
    content = shipped_model().read_bytes()
    draw = random.Random(20)
    for _ in range(40):
        at = draw.randrange(len(content))
        damaged = bytearray(content)
        damaged[at] ^= 1 << draw.randrange(8)
        path = tmp_path / "damaged.onnx"
        path.write_bytes(damaged)
        with pytest.raises(DcrnetError):
            load_model(path)


def test_both_hashes_cost_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes that go through the hash are the file's, and the card's once more."""
    from dcrnet_runtime.backends import content_hash

    hashed: list[int] = []

    class Counted:
        def __init__(self, of: object = None) -> None:
            self.of = of or sha256()

        def copy(self) -> Counted:
            return Counted(self.of.copy())  # type: ignore[attr-defined]

        def update(self, content: bytes) -> None:
            hashed.append(len(content))
            self.of.update(content)  # type: ignore[attr-defined]

        def hexdigest(self) -> str:
            return self.of.hexdigest()  # type: ignore[attr-defined]

    content = shipped_model().read_bytes()
    metadata = onnx_metadata(content)
    assert metadata is not None
    assert metadata.card is not None
    whole = hashes_of(content, metadata)
    monkeypatch.setattr(content_hash, "sha256", Counted)
    assert hashes_of(content, metadata) == whole
    assert whole.file == sha256(content).hexdigest()
    assert whole.content == metadata.sha256
    assert sum(hashed) == len(content) + len(metadata.card.encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"\x08", b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x0b", b"\x08\x01" * 5000],
)
def test_what_is_no_onnx_file(content: bytes) -> None:
    metadata = onnx_metadata(content)
    assert metadata is None or metadata.card is None


def test_what_is_no_zip_behind_a_model() -> None:
    metadata = tflite_metadata(b"\0\0\0\0TFL3PK\x05\x06" + b"\xff" * 18)
    assert (metadata.card, metadata.sha256) == (None, None)
