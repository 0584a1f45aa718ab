"""The counter of instructions: which kind each is, and that it compiles."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

import pytest

from dcrnet_bench.emulation import plugin
from dcrnet_bench.emulation.plugin import build_plugin, compile_plugin
from dcrnet_bench.profiling.instruction_counter import KINDS
from dcrnet_runtime.errors import DcrnetError

# Encodings as a disassembler (capstone 5) reads them, most of them in ONNX Runtime's and LiteRT's
# own kernels.
WORDS = {
    "dot": {
        "sdot v16.4s, v8.16b, v1.16b": 0x4E819510,
        "udot v0.4s, v1.16b, v2.16b": 0x6E829420,
        "sdot v0.4s, v1.16b, v2.4b[1]": 0x4FA2E020,
        "usdot v0.4s, v1.16b, v2.16b": 0x4E829C20,
        "sudot v0.4s, v1.16b, v2.4b[0]": 0x4F02F020,
    },
    "matrix": {
        "smmla v19.4s, v25.16b, v29.16b": 0x4E9DA733,
        "ummla v0.4s, v1.16b, v2.16b": 0x6E82A420,
        "usmmla v0.4s, v1.16b, v2.16b": 0x4E82AC20,
    },
    "fmla": {
        "fmla v31.2d, v7.2d, v30.2d": 0x4E7ECCFF,
        "fmls v30.2d, v31.2d, v17.2d": 0x4EF1CFFE,
        "fmla v0.4s, v1.4s, v2.s[0]": 0x4F821020,
        "fmla v0.8h, v1.8h, v2.8h": 0x4E420C20,
    },
    "widening": {
        "smlal v5.4s, v11.4h, v6.h[2]-like": 0x0EA68165,
        "smlal2": 0x4EA68171,
        "smull": 0x0EA6C167,
        "umlsl": 0x2E60A0E2,
        "umull2": 0x6EB1C002,
        "smlal v0.4s, v1.4h, v2.h[0]": 0x0F422020,
    },
    "load": {
        "ldr x0, [x0]": 0xF9400000,
        "ldp x0, x25, [x19]": 0xA9400660,
        "ldpsw": 0x69400001,
        "ldrsw x0, [x0]": 0xB9800000,
        "ldur q": 0x3CDF0020,
        "ld1 {v29.s}[0], [x1]": 0x4D40843D,
        "ld4": 0x4C40003C,
        "ld1r": 0x4D40C29D,
        "ldar x2, [x1]": 0xC8DFFC22,
        "ldr x0, literal": 0x58000040,
        "ldadd x0, x1, [x2]": 0xF8200041,
    },
    "store": {
        "str x21, [sp]": 0xF90013F5,
        "stp x29, x30, [sp, -]!": 0xA9BD7BFD,
        "stur q31, [x2]": 0x3C95805F,
        "str q0, [x1]": 0x3D800020,
        "st1": 0x4C00A07C,
        "stlr": 0xC89FFC1F,
    },
    "other": {
        "prfm pldl1keep, [x14]": 0xF98001C0,
        "prfum": 0xF88821E0,
        "add x0, x1, x2": 0x8B020020,
        "mul v0.4s, v1.4s, v2.4s": 0x4EA29C20,
        "fadd v0.4s, v1.4s, v2.4s": 0x4E22D420,
        "bfmmla v0.4s, v1.8h, v2.8h": 0x6E42EC20,
        "ret": 0xD65F03C0,
        "svc 0": 0xD4000001,
    },
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    path = tmp_path_factory.mktemp("plugin") / "counter.so"
    compile_plugin(path)
    return ctypes.CDLL(str(path), mode=os.RTLD_LAZY)  # QEMU's functions are never called


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, words in WORDS.items() for text in words]
)
def test_an_instruction_is_of_its_kind(library: ctypes.CDLL, kind: str, text: str) -> None:
    assert KINDS[library.kind_of(ctypes.c_uint32(WORDS[kind][text]))] == kind


def test_a_qemu_of_another_interface_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "require", lambda *programs: None)
    monkeypatch.setattr(plugin, "qemu_version", lambda: (10, 0, 2))
    with pytest.raises(DcrnetError, match=r"qemu-aarch64 10\.0\.2 has another interface"):
        build_plugin()


def test_it_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []

    def compile_once(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("compiled")
        compiled.append(path)

    monkeypatch.setattr(plugin, "require", lambda *programs: None)
    monkeypatch.setattr(plugin, "qemu_version", lambda: (7, 2, 22))
    monkeypatch.setattr(plugin, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(plugin, "compile_plugin", compile_once)
    assert build_plugin() == build_plugin() == compiled[0]
    assert len(compiled) == 1
