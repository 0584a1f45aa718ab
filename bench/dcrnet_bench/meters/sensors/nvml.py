"""The energy of an NVIDIA GPU, by the driver's management library (NVML).

The total energy counter (Volta and later; mJ since the driver was loaded) where there is one,
else sampled power (``nvmlDeviceGetTotalEnergyConsumption``, ``nvmlDeviceGetPowerUsage``), both of
the whole board: https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html.
"""

from __future__ import annotations

from dcrnet_bench.host.gpu.cuda import NoCardError
from dcrnet_bench.host.gpu.nvml import NvmlCard, card_name, open_card
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

    def __init__(self, card: NvmlCard) -> None:
        """Of ``card``.

        Raises:
            NoMeterError: it has no such counter.
        """
        self.rails: tuple[str, ...] = (card_name(card),)
        self._card = card
        self._started_mj = self._read_mj()

    def start(self) -> None:
        self._started_mj = self._read_mj()

    def stop(self) -> float:
        return (self._read_mj() - self._started_mj) * _J_PER_MJ

    def _read_mj(self) -> int:
        nvml = self._card.nvml
        try:
            return int(nvml.nvmlDeviceGetTotalEnergyConsumption(self._card.handle))
        except nvml.NVMLError as error:
            raise NoMeterError(f"NVML has no energy counter of this card ({error})") from error


def open_nvml(card: NvmlCard | None = None) -> EnergyMeter:
    """The counter of a card, else its sampled power.

    Args:
        card: None for the one that CUDA has first.

    Raises:
        NoMeterError: the library or the driver is missing, or the card tells neither.
    """
    try:
        card = card or open_card()
    except NoCardError as error:
        raise NoMeterError(str(error)) from error
    try:
        return NvmlCounter(card)
    except NoMeterError:
        return _sampled(card)


def _sampled(card: NvmlCard) -> SampledMeter:
    def read_w() -> float:
        try:
            return float(card.nvml.nvmlDeviceGetPowerUsage(card.handle)) * 1e-3
        except card.nvml.NVMLError as error:
            raise NoMeterError(f"NVML tells neither energy nor power ({error})") from error

    uncertainty = (
        "within 5 % by its maker's word; on Ampere and later (not A100) each value is the mean of"
        " the second before"
    )
    return SampledMeter("NVML's power", (card_name(card),), uncertainty, read_w, _RATE_HZ)
