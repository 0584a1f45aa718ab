"""Good inputs of each kind, and how they are spoilt."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from functools import partial

from fuzz import documents, media, models

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_WORDS = (b"", b"\0" * 64, b"-1", b"1e999", b"NaN", b"[" * 2000, b'{"a":' * 500, b"\xff\xfe")

SEEDS: dict[str, Callable[[], bytes]] = {
    **{f"picture-{each}": partial(media.picture, each) for each in media.PICTURES},
    **{f"video-{each}": make for each, make in media.VIDEOS.items()},
    **{f"stream-{each}": make for each, make in media.STREAMS.items()},
    "playlist-m3u8": media.playlist,
    "model-onnx": models.onnx_model,
    "model-onnx-int8": models.onnx_int8,
    "model-tflite": models.tflite_float,
    "model-tflite-int8": models.tflite_int8,
    "bundle": models.bundle,
    "checkpoint": models.checkpoint,
    "resume": models.resume_point,
    "card": documents.card_text,
    "sidecar": documents.sidecar,
    "settings": documents.settings,
    "recipe": documents.recipe,
    "run": documents.run_settings,
    "report": documents.bench_report,
    "told": documents.page_report,
    "predictions": documents.predictions,
    "groups": documents.groups,
    "power": documents.power_log,
    "cache-faces": documents.faces_shard,
    "cache-landmarks": documents.landmarks_file,
    "cache-teacher": documents.teacher_answers,
    "cache-crops": documents.crops_shard,
}
KINDS = (*SEEDS, "name")
JSON = ("card", "sidecar", "run", "report", "told")
"""Half of these have values that are well written and absurd."""

_WEIGHTS = {
    "picture": 8,
    "name": 6,
    **dict.fromkeys(("card", "bundle", "predictions", "groups", "power", "told"), 5),
    **dict.fromkeys(("cache", "model"), 4),
    "video": 3,
    **dict.fromkeys(("stream", "playlist", "recipe", "run"), 1),
}


def shares(kinds: Sequence[str], inputs: int) -> dict[str, int]:
    """How many inputs of each kind make so many in all or a few more: fewer of slow ones."""
    weights = {kind: _WEIGHTS.get(kind.partition("-")[0], 2) for kind in kinds}
    total = sum(weights.values())
    return {kind: -(-inputs * weight // total) for kind, weight in weights.items()}


def drawn(kind: str, seed: int, number: int) -> bytes:
    """The input of that number, the same each time."""
    draw = random.Random(f"{seed} {kind} {number}")
    if kind == "name":
        return documents.name(draw)
    if kind in JSON and draw.random() < 0.5:
        return documents.altered(_good(kind), draw)
    return spoilt(_good(kind), draw)


def spoilt(content: bytes, draw: random.Random) -> bytes:
    """The content with one to eight changes: bits, numbers, cuts, repeats and swaps."""
    spoiled = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        if not spoiled:
            break
        at = draw.randrange(len(spoiled))
        change = draw.randrange(7)
        if change <= 1:
            spoiled[at] ^= 1 << draw.randrange(8)
        elif change == 2:
            width = draw.choice((1, 2, 4))
            number = draw.choice(_NUMBERS) & ((1 << 8 * width) - 1)
            spoiled[at : at + width] = number.to_bytes(width, draw.choice(("big", "little")))
        elif change == 3:
            del spoiled[at : at + draw.randint(1, 64)]
        elif change == 4:
            spoiled[at:at] = spoiled[at : at + draw.randint(1, 256)] * draw.randint(1, 4)
        elif change == 5:
            spoiled[at:at] = draw.choice(_WORDS)
        else:
            del spoiled[at + 1 :]
    return bytes(spoiled)


@functools.cache
def _good(kind: str) -> bytes:
    return SEEDS[kind]()
