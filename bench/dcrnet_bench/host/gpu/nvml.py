"""The driver's management library (NVML): the card that CUDA uses, and its state.

Functions and the bits of what slows a card down:
https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html and
group__nvmlClocksEventReasons.html there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dcrnet_bench.host.gpu.cuda import NoCardError, find_card
from dcrnet_runtime.installation import extra_command

_SM_CLOCK = 1  # NVML_CLOCK_SM
_CORE_SENSOR = 0  # NVML_TEMPERATURE_GPU
_SLOWDOWNS = {
    0x04: "power limit",
    0x08: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "power brake",
}


@dataclass(frozen=True, slots=True)
class CardState:
    """What changes during a run, and the driver.

    Attributes:
        driver: its version.
        sm_mhz: clock of the multiprocessors.
        temperature_c: of the chip.
        power_limit_w: that the card keeps to.
        slowdowns: what holds the clock down now, idling apart.
    """

    driver: str
    sm_mhz: float
    temperature_c: float
    power_limit_w: float
    slowdowns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NvmlCard:
    """A card as NVML knows it.

    Attributes:
        nvml: the module ``pynvml``, or what stands in for it; initialised.
        handle: of the card.
    """

    nvml: Any
    handle: Any


def open_card(nvml: Any = None, bus_id: str | None = None) -> NvmlCard:
    """The card that CUDA has first; NVML numbers cards by their place on the bus, CUDA may not.

    Args:
        nvml: the module; None for the installed one.
        bus_id: of the card; None to ask CUDA.

    Raises:
        NoCardError: the package, the driver or the card is missing.
    """
    nvml = nvml or _module()
    bus_id = bus_id or find_card().bus_id
    try:
        nvml.nvmlInit()
        return NvmlCard(nvml, nvml.nvmlDeviceGetHandleByPciBusId(bus_id.encode()))
    except nvml.NVMLError as error:
        raise NoCardError(f"NVML does not tell of the card ({error})") from error


def read_card_state(card: NvmlCard) -> CardState | None:
    """Now; None where the card does not tell."""
    nvml, handle = card.nvml, card.handle
    try:
        reasons = nvml.nvmlDeviceGetCurrentClocksEventReasons(handle)
        return CardState(
            driver=_text(nvml.nvmlSystemGetDriverVersion()),
            sm_mhz=float(nvml.nvmlDeviceGetClockInfo(handle, _SM_CLOCK)),
            temperature_c=float(nvml.nvmlDeviceGetTemperature(handle, _CORE_SENSOR)),
            power_limit_w=nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3,
            slowdowns=tuple(name for bit, name in _SLOWDOWNS.items() if reasons & bit),
        )
    except nvml.NVMLError:
        return None


def card_name(card: NvmlCard) -> str:
    """Its maker's; "the card" where it does not tell."""
    try:
        return _text(card.nvml.nvmlDeviceGetName(card.handle))
    except card.nvml.NVMLError:
        return "the card"


def _module() -> Any:
    try:
        import pynvml
    except ImportError as error:
        raise NoCardError(f"NVML needs a package: {extra_command('gpu')}") from error
    return pynvml


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
