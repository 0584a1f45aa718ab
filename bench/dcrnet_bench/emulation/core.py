"""The ARM cores that are played."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path


class Core(StrEnum):
    """A core by QEMU's name for it; one with and one without dot products of bytes."""

    CORTEX_A53 = "cortex-a53"
    CORTEX_A76 = "cortex-a76"


# Arm's part numbers (the cores' Technical Reference Manuals, MIDR_EL1) and the kernel's names of
# what QEMU plays of each core (Documentation/arch/arm64/elf_hwcaps.rst).
_PARTS = {Core.CORTEX_A53: 0xD03, Core.CORTEX_A76: 0xD0B}
_ARMV8_0 = "fp asimd evtstrm aes pmull sha1 sha2 crc32"
_ARMV8_2 = f"{_ARMV8_0} atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs"
_FEATURES = {Core.CORTEX_A53: f"{_ARMV8_0} cpuid", Core.CORTEX_A76: _ARMV8_2}


def write_cpuinfo(core: Core, root: Path) -> None:
    """Write ``proc/cpuinfo`` under ``root`` as Linux shows ``core``.

    QEMU 7.2 shows its guest this machine's own, in which onnxruntime 1.32 finds no ARM core and
    ends with a segmentation fault.
    """
    blocks = [
        f"processor\t: {index}\n"
        "BogoMIPS\t: 108.00\n"
        f"Features\t: {_FEATURES[core]}\n"
        "CPU implementer\t: 0x41\n"
        "CPU architecture: 8\n"
        "CPU variant\t: 0x0\n"
        f"CPU part\t: {_PARTS[core]:#05x}\n"
        "CPU revision\t: 4\n\n"
        for index in range(os.cpu_count() or 1)
    ]
    (root / "proc").mkdir()
    (root / "proc/cpuinfo").write_text("".join(blocks))
