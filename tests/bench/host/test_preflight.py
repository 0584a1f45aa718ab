"""A machine's state, read from trees as its kernel shows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bench_reports import STATE, report

from dcrnet_bench.host.clusters import Cluster, read_clusters
from dcrnet_bench.host.facts import Host, soc_name
from dcrnet_bench.host.power import PowerState, read_power
from dcrnet_bench.host.preflight import Flag, HostState, doubts_of, preflight_of
from dcrnet_bench.host.state import read_state
from dcrnet_bench.host.throttling import Throttling, read_throttling
from dcrnet_bench.targets.doubts import require_quiet
from dcrnet_runtime.errors import DcrnetError

HOST = report().host
SUPPLY = "sys/class/power_supply"
THERMAL = "sys/class/thermal"
CPUS = "sys/devices/system/cpu"
PI_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def core(number: int, part: str) -> str:
    return f"processor\t: {number}\nCPU implementer\t: 0x41\nCPU part\t: {part}"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, PowerState("", None, None)),
        (
            {f"{SUPPLY}/AC/type": "Mains", f"{SUPPLY}/AC/online": "1"},
            PowerState("mains", None, None),
        ),
        (
            {
                f"{SUPPLY}/battery/type": "Battery",
                f"{SUPPLY}/battery/status": "Charging",
                f"{SUPPLY}/battery/capacity": "71",
                f"{SUPPLY}/usb/type": "USB",
                f"{SUPPLY}/usb/online": "1",
            },
            PowerState("mains", True, 71),
        ),
        (
            {
                f"{SUPPLY}/BAT0/type": "Battery",
                f"{SUPPLY}/BAT0/status": "Discharging",
                f"{SUPPLY}/AC/type": "Mains",
                f"{SUPPLY}/AC/online": "0",
            },
            PowerState("battery", False, None),
        ),
        (
            {
                f"{SUPPLY}/mouse/type": "Battery",
                f"{SUPPLY}/mouse/scope": "Device",
                f"{SUPPLY}/mouse/status": "Discharging",
            },
            PowerState("", None, None),
        ),
    ],
    ids=["server", "plugged", "charging", "unplugged", "mouse"],
)
def test_power(tmp_path: Path, files: dict[str, str], expected: PowerState) -> None:
    assert read_power(tree(tmp_path, files)) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, Throttling((), None, False)),
        (
            {
                f"{CPUS}/cpu0/thermal_throttle/core_throttle_count": "2",
                f"{CPUS}/cpu1/thermal_throttle/package_throttle_count": "3",
            },
            Throttling((), 5, True),
        ),
        (
            {
                f"{THERMAL}/cooling_device0/type": "thermal-cpufreq-0",
                f"{THERMAL}/cooling_device0/cur_state": "2",
                f"{THERMAL}/cooling_device1/type": "pwm-fan",
                f"{THERMAL}/cooling_device1/cur_state": "4",
            },
            Throttling(("thermal-cpufreq-0 at step 2",), None, True),
        ),
        (
            {
                f"{CPUS}/cpufreq/policy4/scaling_max_freq": "1500000",
                f"{CPUS}/cpufreq/policy4/cpuinfo_max_freq": "2400000",
            },
            Throttling(("cores from 4 capped at 1500 of 2400 MHz",), None, True),
        ),
        ({PI_FIRMWARE: "50000"}, Throttling((), None, True)),  # in the past, not now
        (
            {PI_FIRMWARE: "50005"},
            Throttling(("undervoltage", "the firmware throttles"), None, True),
        ),
    ],
    ids=["untold", "counted", "cooled", "capped", "quiet-pi", "throttled-pi"],
)
def test_throttling(tmp_path: Path, files: dict[str, str], expected: Throttling) -> None:
    assert read_throttling(tree(tmp_path, files)) == expected


def test_clusters_are_cores_of_one_kind(tmp_path: Path) -> None:
    cpuinfo = "\n\n".join([core(0, "0xd05"), core(1, "0xd05"), core(2, "0xd0b"), core(3, "0xfff")])
    clocks = {f"{CPUS}/cpu{i}/cpufreq/cpuinfo_max_freq": "1800000" for i in (0, 1)}
    root = tree(tmp_path, {"proc/cpuinfo": cpuinfo, **clocks})
    assert read_clusters(root) == (
        Cluster((0, 1), "cortex-a55", 1800.0),
        Cluster((2,), "cortex-a76", None),
        Cluster((3,), "implementer 0x41, part 0xfff", None),
    )


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"proc/device-tree/compatible": "raspberrypi,5\0brcm,bcm2712\0"}, "brcm,bcm2712"),
        (
            {"sys/devices/soc0/family": "Snapdragon", "sys/devices/soc0/soc_id": "519"},
            "Snapdragon 519",
        ),
        ({}, ""),
    ],
)
def test_the_chip_has_a_name(tmp_path: Path, files: dict[str, str], name: str) -> None:
    assert soc_name(tree(tmp_path, files)) == name


def test_this_machine_tells_its_state() -> None:
    state = read_state()
    assert state.load >= 0
    assert all(mhz > 0 for mhz in state.mhz)


def flags(host: Host, state: HostState) -> list[Flag]:
    return [doubt.flag for doubt in doubts_of(host, state)]


def test_each_circumstance_is_flagged() -> None:
    assert flags(HOST, STATE) == []
    assert flags(HOST, replace(STATE, load=5.0)) == [Flag.BUSY]
    hot = Throttling(("undervoltage",), None, True)
    assert flags(HOST, replace(STATE, throttling=hot)) == [Flag.THROTTLED]
    assert flags(HOST, replace(STATE, power=PowerState("mains", True, 5))) == [Flag.CHARGING]
    assert flags(HOST, replace(STATE, power=PowerState("battery", False, 5))) == [Flag.BATTERY]
    assert flags(replace(HOST, emulator="QEMU"), STATE) == [Flag.EMULATED]


def test_throttling_in_the_run_is_flagged_and_the_runs_own_load_is_not() -> None:
    assert preflight_of(HOST, STATE, replace(STATE, load=9.0)).doubts == ()
    after = replace(STATE, throttling=Throttling((), 4, True))
    [doubt] = preflight_of(HOST, STATE, after).doubts
    assert (doubt.flag, "during the run" in doubt.text) == (Flag.THROTTLED, True)


def test_a_quiet_host_can_be_required() -> None:
    require_quiet(doubts_of(HOST, STATE))
    require_quiet(doubts_of(HOST, replace(STATE, power=PowerState("battery", False, 5))))
    with pytest.raises(DcrnetError, match=r"^`require_quiet_host`: load average 5.00 on 2 core"):
        require_quiet(doubts_of(HOST, replace(STATE, load=5.0)))
    with pytest.raises(DcrnetError, match="is emulated by QEMU"):
        require_quiet(doubts_of(replace(HOST, emulator="QEMU"), STATE))
