"""Whether this processor is real.

An emulator translates each instruction, vector ones at the worst rate of all, so its times are
neither those of the machine it plays nor in proportion to them. Hardware virtualisation (KVM)
runs the instructions themselves and is no emulation.
"""

from __future__ import annotations

import platform
from pathlib import Path

ROOT = Path("/")
"""Where this machine's ``proc`` and ``sys`` are mounted."""
_FAMILIES = {
    "x86": ("x86_64", "amd64", "i386", "i486", "i586", "i686", "x86"),
    "arm": ("aarch64", "arm"),
}


def find_emulator(machine: str | None = None, root: Path = ROOT) -> str:
    """The name of the emulator that plays this processor; empty where none shows.

    Full-system emulation of a named ARM core leaves no trace that this could find.

    Args:
        machine: as ``platform.machine()`` has it.
        root: where ``proc`` and ``sys`` are mounted.
    """
    machine = machine or platform.machine()
    cpuinfo = read_text(root / "proc/cpuinfo")
    kernel = read_text(root / "proc/sys/kernel/arch")
    if kernel and _family(kernel) != _family(machine):
        return f"an emulator on a {kernel} kernel"
    if (root / "proc/sys/fs/binfmt_misc" / f"qemu-{machine}").exists():
        return "QEMU user emulation"
    # Older QEMU shows its guest the host's own cpuinfo.
    if _family(machine) == "arm" and "vendor_id" in cpuinfo:
        return "an emulator on an x86 machine"
    if "VirtualApple" in cpuinfo:
        return "Rosetta"
    if ("QEMU" in cpuinfo or _is_qemu_max(cpuinfo)) and not _has_kvm_clock(root):
        return "QEMU"
    return ""


def read_text(path: Path) -> str:
    """A small file of the kernel's without the space around it; empty where there is none."""
    try:
        return path.read_text(errors="replace").strip().strip("\0")
    except OSError:
        return ""


def _family(machine: str) -> str:
    machine = machine.lower()
    for family, prefixes in _FAMILIES.items():
        if machine.startswith(prefixes):
            return family
    return machine


def _is_qemu_max(cpuinfo: str) -> bool:
    """QEMU's default ARM core: implementer 0, part number "Q"; no silicon has them."""
    words = {"".join(line.split()) for line in cpuinfo.splitlines()}
    return {"CPUimplementer:0x00", "CPUpart:0x051"} <= words


def _has_kvm_clock(root: Path) -> bool:
    clocks = root / "sys/devices/system/clocksource/clocksource0/available_clocksource"
    return "kvm-clock" in read_text(clocks)
