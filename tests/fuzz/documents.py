"""Good texts and arrays: settings, cards, reports, tables, and what caches hold."""

from __future__ import annotations

import copy
import io
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from generated import LABELS

from dcrnet_runtime.backends.golden import GOLDEN_INPUTS, GOLDEN_KEY, Golden
from fuzz.models import card

_SIGNS = (
    "a",
    "=cmd|' /C calc'!A0",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "\0",
    "../",
    "é",
    "{",
    "%s",
    "\n",
)
_DEEP = "so deep"
_ABSURD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1 << 40, 1 << 200, 1.5, 1e308, float("nan"), float("-inf")),
    *("", "a", "\ud800", "\0", "=1", [], {}, [[]], ["a", "a"], {"a": None}, [0.5] * 7),
)


def card_text() -> bytes:
    """What models say of themselves, with golden answers."""
    answers = np.full((len(GOLDEN_INPUTS), 2), 0.5)
    metrics = {GOLDEN_KEY: Golden(answers, 0.01, "a").to_json()}
    return replace(card(), metrics=metrics).to_json().encode()


def settings() -> bytes:
    """Options of ``dcrnet-run``."""
    return b'source = "0"\nmax-faces = 3\nsmoothing = 0.3\nblur-faces = true\njsonl = "-"\n'


def recipe() -> bytes:
    """Settings of a training."""
    return b"[recipe]\nepochs = 9\nlearning_rate = 0.1\nprogressive = [[64, 2]]\n"


def run_settings() -> bytes:
    """What a run folder says of how it was started."""
    from dcrnet_edge.training.run_config import RunConfig

    return json.dumps({"config": RunConfig().to_values(), "seed": 1, "start": {}}).encode()


def sidecar() -> bytes:
    """What lies beside an exported model."""
    values = {"sha256": "0" * 64, "card": json.loads(card_text())}
    return json.dumps(values).encode()


def bench_report() -> bytes:
    """What ``dcrnet-bench --json`` writes."""
    from bench_reports import model, report

    return report(model()).to_json().encode()


def page_report() -> bytes:
    """What the page of ``dcrnet-bench --device browser`` posts."""
    return (
        b'{"user_agent":"a","cores":4,"threads":2,"simd":"fixed","model_ms":[1.5,1.6],'
        b'"stages_ms":{"find":[2.0],"prepare":[0.5],"network":[1.5],"whole":[4.0],"rest":[0.1]},'
        b'"answer":[0.1,0.9],"warm_up_rounds":5}'
    )


def predictions() -> bytes:
    """What ``dcrnet-eval --predictions`` writes."""
    columns = "image,part,subject,aligned,label,predicted,p_calm,p_cross"
    return f"{columns}\na.png,test,,1,calm,cross,0.25,0.75\nb.png,test,,0,calm,calm,1,0\n".encode()


def groups() -> bytes:
    """Who is shown."""
    return b"image,age,sex\na.png,0-9,m\nb.png,10-19,f\n"


def power_log() -> bytes:
    """What a power meter's program writes."""
    return b"t_unix,watts\n1764450000.25,4.81\n1764450000.5,4.9\n"


def faces_shard() -> bytes:
    """Found faces."""
    landmarks = np.zeros((1, 468, 2), np.float32)
    return _saved(boxes=np.zeros((1, 4)), landmarks=landmarks)


def landmarks_file() -> bytes:
    """Found faces by their images' hashes."""
    return _saved(
        found_by=np.array("a"),
        digests=np.zeros((1, 32), np.uint8),
        boxes=np.zeros((1, 4)),
        landmarks=np.zeros((1, 468, 2), np.float32),
    )


def teacher_answers() -> bytes:
    """What a teacher said."""
    return _saved(probabilities=np.full((1, len(LABELS)), 1 / len(LABELS), np.float32))


def crops_shard() -> bytes:
    """Prepared faces and their checksum."""
    from dcrnet_edge.data.crop_cache import _checksum

    crops = np.zeros((1, 16, 16, 3), np.uint8)
    buffer = io.BytesIO()
    np.save(buffer, crops)
    return buffer.getvalue() + _checksum(crops)


def name(draw: random.Random) -> bytes:
    """A name or an address, of signs that terminals, tables and paths obey."""
    parts = draw.choices(_SIGNS, k=draw.randint(1, 8))
    start = draw.choice(("", "rtsp://a:b@", "http://[::1]:", "/dev/", "photos/*", "file:"))
    return (start + "".join(parts)).encode("utf-8", "surrogatepass")


def altered(content: bytes, draw: random.Random) -> bytes:
    """The JSON with one to three of its values taken out or replaced by absurd ones."""
    root = [json.loads(content)]
    for _ in range(draw.randint(1, 3)):
        holder, key = draw.choice(list(_places(root)))
        if isinstance(holder, dict) and draw.random() < 0.2:
            del holder[key]
        else:
            absurd = copy.deepcopy(draw.choice(_ABSURD))
            holder[key] = _DEEP if draw.random() < 0.1 else absurd
    nested = "[" * 3000 + "]" * 3000
    return json.dumps(root[0]).replace(json.dumps(_DEEP), nested).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a value, as what holds it and its key or index there."""
    if isinstance(value, dict | list):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(inner)


def _saved(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()
