"""A processor's cores by kind: big ones and little ones differ by a factor.

Part numbers are those of Arm's Technical Reference Manuals (MIDR_EL1), as Linux lists them in
https://github.com/torvalds/linux/blob/master/arch/arm64/include/asm/cputype.h.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.host.emulator import ROOT, read_text

_ARM = 0x41
_PARTS = {
    (_ARM, 0xD03): "cortex-a53",
    (_ARM, 0xD05): "cortex-a55",
    (_ARM, 0xD07): "cortex-a57",
    (_ARM, 0xD08): "cortex-a72",
    (_ARM, 0xD09): "cortex-a73",
    (_ARM, 0xD0A): "cortex-a75",
    (_ARM, 0xD0B): "cortex-a76",
    (_ARM, 0xD0C): "neoverse-n1",
    (_ARM, 0xD0D): "cortex-a77",
    (_ARM, 0xD40): "neoverse-v1",
    (_ARM, 0xD41): "cortex-a78",
    (_ARM, 0xD42): "cortex-a78ae",
    (_ARM, 0xD44): "cortex-x1",
    (_ARM, 0xD46): "cortex-a510",
    (_ARM, 0xD47): "cortex-a710",
    (_ARM, 0xD48): "cortex-x2",
    (_ARM, 0xD49): "neoverse-n2",
    (_ARM, 0xD4D): "cortex-a715",
    (_ARM, 0xD4E): "cortex-x3",
    (_ARM, 0xD4F): "neoverse-v2",
    (_ARM, 0xD80): "cortex-a520",
    (_ARM, 0xD81): "cortex-a720",
    (_ARM, 0xD82): "cortex-x4",
}
_FIELD = re.compile(r"^(processor|CPU implementer|CPU part|model name)\s*: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Cores of one kind.

    Attributes:
        cores: their numbers.
        core: what they are called; part numbers where they have no name here.
        max_mhz: of their clock; None where it cannot be read.
    """

    cores: tuple[int, ...]
    core: str
    max_mhz: float | None


def read_clusters(root: Path = ROOT) -> tuple[Cluster, ...]:
    """Of this machine, or of one whose ``proc`` and ``sys`` lie in ``root``."""
    found: dict[tuple[str, float | None], list[int]] = defaultdict(list)
    for core, name in _names(read_text(root / "proc/cpuinfo")).items():
        most = read_text(root / f"sys/devices/system/cpu/cpu{core}/cpufreq/cpuinfo_max_freq")
        found[name, int(most) / 1000 if most.isdigit() else None].append(core)
    return tuple(Cluster(tuple(cores), *key) for key, cores in found.items())


def _names(cpuinfo: str) -> dict[int, str]:
    """What each core is called, by its number."""
    names: dict[int, str] = {}
    for block in cpuinfo.split("\n\n"):
        facts = dict(_FIELD.findall(block))
        if facts.get("processor", "").isdigit():
            names[int(facts["processor"])] = _name(facts)
    return names


def _name(facts: dict[str, str]) -> str:
    implementer, part = facts.get("CPU implementer"), facts.get("CPU part")
    if implementer and part:
        key = int(implementer, 16), int(part, 16)
        return _PARTS.get(key, f"implementer {implementer}, part {part}")
    return facts.get("model name", "unknown")
