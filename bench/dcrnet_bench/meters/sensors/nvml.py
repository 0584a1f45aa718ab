"""The energy of an NVIDIA GPU, by the driver's management library (NVML).

The total energy counter (Volta and later; mJ since the driver was loaded) where there is one,
else sampled power (``nvmlDeviceGetTotalEnergyConsumption``, ``nvmlDeviceGetPowerUsage``), both of
the whole board: https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html.
"""

from __future__ import annotations

from typing import Any

from dcrnet_bench.host.cuda import NoCardError, find_card
from dcrnet_bench.meters.meter import EnergyMeter, NoMeterError
from dcrnet_bench.meters.sensors.sampled import SampledMeter

_J_PER_MJ = 1e-3
_RATE_HZ = 10.0
"""The counter and the power have new values some ten to fifty times a second."""


class NvmlCounter:
    """The total energy counter of a card.

    Attributes:
        name: for people.
        rails: the card's name.
        uncertainty: for people.
        rate_hz: how often it moves at least.
    """

    name = "NVML's total energy counter"
    uncertainty = "the counter moves some ten times a second; its maker states no accuracy"
    rate_hz = _RATE_HZ

    def __init__(self, nvml: Any, handle: Any) -> None:
        """Of the card that ``handle`` is of.

        Raises:
            NoMeterError: the card has no such counter.
        """
        self.rails: tuple[str, ...] = (_card_name(nvml, handle),)
        self._nvml, self._handle = nvml, handle
        self._started_mj = self._read_mj()

    def start(self) -> None:
        self._started_mj = self._read_mj()

    def stop(self) -> float:
        return (self._read_mj() - self._started_mj) * _J_PER_MJ

    def _read_mj(self) -> int:
        try:
            return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))
        except self._nvml.NVMLError as error:
            raise NoMeterError(f"NVML has no energy counter of this card ({error})") from error


def open_nvml(nvml: Any = None, bus_id: str | None = None) -> EnergyMeter:
    """The counter of a card, else its sampled power.

    Args:
        nvml: the module ``pynvml``.
        bus_id: of the card on the PCI bus; None for the one that CUDA has first.

    Raises:
        NoMeterError: the library or the driver is missing, or the card tells neither.
    """
    nvml = nvml or _module()
    handle = _handle(nvml, bus_id)
    try:
        return NvmlCounter(nvml, handle)
    except NoMeterError:
        return _sampled(nvml, handle)


def _module() -> Any:
    try:
        import pynvml
    except ImportError as error:
        raise NoMeterError("NVML needs pip install 'dcrnet-edge[gpu]'") from error
    return pynvml


def _handle(nvml: Any, bus_id: str | None) -> Any:
    try:
        # NVML numbers the cards by their place on the bus and CUDA may not.
        bus_id = bus_id or find_card().bus_id
        nvml.nvmlInit()
        return nvml.nvmlDeviceGetHandleByPciBusId(bus_id.encode())
    except NoCardError as error:
        raise NoMeterError(str(error)) from error
    except nvml.NVMLError as error:
        raise NoMeterError(f"NVML does not tell of the card ({error})") from error


def _sampled(nvml: Any, handle: Any) -> SampledMeter:
    def read_w() -> float:
        try:
            return float(nvml.nvmlDeviceGetPowerUsage(handle)) * 1e-3
        except nvml.NVMLError as error:
            raise NoMeterError(f"NVML tells neither energy nor power ({error})") from error

    uncertainty = (
        "within 5 % by its maker's word; on Ampere and later (not A100) each value is the mean of"
        " the second before"
    )
    rails = (_card_name(nvml, handle),)
    return SampledMeter("NVML's power", rails, uncertainty, read_w, _RATE_HZ)


def _card_name(nvml: Any, handle: Any) -> str:
    try:
        name = nvml.nvmlDeviceGetName(handle)
    except nvml.NVMLError:
        return "the card"
    return name.decode() if isinstance(name, bytes) else str(name)
