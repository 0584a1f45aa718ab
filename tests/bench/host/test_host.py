"""What is told of the machine: real or emulated, busy or quiet."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcrnet_bench.host.clusters import Cluster
from dcrnet_bench.host.emulator import find_emulator
from dcrnet_bench.host.facts import cpu_name, read_host
from dcrnet_bench.host.load import busy_warning, load_average, peak_rss_mb

X86 = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n"
CORTEX_A72 = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n"
QEMU_MAX = "processor\t: 0\nCPU implementer\t: 0x00\nCPU part\t: 0x051\n"
QEMU_X86 = "vendor_id\t: AuthenticAMD\nmodel name\t: QEMU Virtual CPU version 2.5+\n"


def machine_root(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("machine", "files", "emulator"),
    [
        ("x86_64", {"proc/cpuinfo": X86, "proc/sys/kernel/arch": "x86_64\n"}, ""),
        ("aarch64", {"proc/cpuinfo": CORTEX_A72, "proc/sys/kernel/arch": "aarch64\n"}, ""),
        ("armv7l", {"proc/cpuinfo": CORTEX_A72, "proc/sys/kernel/arch": "aarch64\n"}, ""),
        ("aarch64", {"proc/sys/kernel/arch": "x86_64\n"}, "x86_64 kernel"),
        ("aarch64", {"proc/cpuinfo": X86}, "x86 machine"),
        ("aarch64", {"proc/cpuinfo": QEMU_MAX}, "QEMU"),
        ("aarch64", {"proc/sys/fs/binfmt_misc/qemu-aarch64": "enabled\n"}, "QEMU user"),
        ("x86_64", {"proc/sys/fs/binfmt_misc/qemu-aarch64": "enabled\n"}, ""),
        ("x86_64", {"proc/cpuinfo": QEMU_X86}, "QEMU"),
        (
            "x86_64",
            {
                "proc/cpuinfo": QEMU_X86,
                "sys/devices/system/clocksource/clocksource0/available_clocksource": "kvm-clock",
            },
            "",
        ),
        ("x86_64", {}, ""),
    ],
)
def test_emulator_is_told_from_a_real_machine(
    tmp_path: Path, machine: str, files: dict[str, str], emulator: str
) -> None:
    found = find_emulator(machine, machine_root(tmp_path, files))
    assert emulator in found
    assert bool(found) == bool(emulator)


def test_cpu_name_falls_back_on_the_board() -> None:
    assert cpu_name(X86, "") == "AMD EPYC"
    assert cpu_name(CORTEX_A72, "Raspberry Pi 4 Model B") == "Raspberry Pi 4 Model B"


def test_a_board_without_a_name_has_that_of_its_cores() -> None:
    little, big = Cluster((0, 1), "cortex-a55", 1800.0), Cluster((2,), "cortex-a76", 2400.0)
    slower = Cluster((3,), "cortex-a76", 2000.0)
    assert cpu_name(CORTEX_A72, "", [little, big, slower]) == "cortex-a55 + cortex-a76"
    assert cpu_name(CORTEX_A72, "a board", [little]) == "a board"
    assert cpu_name(X86, "", [little]) == "AMD EPYC"


def test_busy_machine_is_named() -> None:
    assert busy_warning(1.0, cores=2) is None
    warning = busy_warning(1.01, cores=2)
    assert warning is not None
    assert "figures are of a busy machine" in warning


def test_facts_of_this_machine() -> None:
    host = read_host()
    assert host.cores >= 1
    assert host.ram_gb > 0
    assert "onnxruntime" in host.packages
    assert peak_rss_mb() > 1
    assert load_average() >= 0
