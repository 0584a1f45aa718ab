"""The driver's answers, from a fake of the few functions that it is asked by."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from dcrnet_bench.host.gpu.cuda import Card, NoCardError, find_card


class FakeDriver:
    """``libcuda`` of one card; ``init`` and ``count`` are what two of its functions give."""

    def __init__(self, init: int = 0, count: int = 1) -> None:
        self.init, self.count = init, count

    def cuInit(self, flags: int) -> int:  # noqa: N802
        return self.init

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        count._obj.value = self.count
        return 0

    def cuDeviceGet(self, device: Any, ordinal: int) -> int:  # noqa: N802
        device._obj.value = ordinal
        return 0

    def cuDriverGetVersion(self, version: Any) -> int:  # noqa: N802
        version._obj.value = 12080
        return 0

    def cuDeviceGetAttribute(self, value: Any, attribute: int, device: Any) -> int:  # noqa: N802
        value._obj.value = {75: 9, 76: 0}[attribute]
        return 0

    def cuDeviceTotalMem_v2(self, value: Any, device: Any) -> int:  # noqa: N802
        value._obj.value = 85_000_000_000
        return 0

    def cuDeviceGetName(self, text: Any, length: int, device: Any) -> int:  # noqa: N802
        text.value = b"NVIDIA H100 80GB HBM3"
        return 0

    def cuDeviceGetPCIBusId(self, text: Any, length: int, device: Any) -> int:  # noqa: N802
        text.value = b"0000:0B:00.0"
        return 0


def test_the_first_card_is_told_as_the_driver_has_it() -> None:
    card = find_card(lambda name: FakeDriver())
    assert card == Card("NVIDIA H100 80GB HBM3", "0000:0B:00.0", "9.0", 85.0, "12.8")


def test_without_a_driver_it_is_named() -> None:
    def missing(name: str) -> ctypes.CDLL:
        raise OSError(name)

    with pytest.raises(NoCardError, match=r"no NVIDIA driver is loaded \(libcuda\.so\.1"):
        find_card(missing)


def test_a_driver_without_a_card_tells_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(NoCardError, match=r"shows no card \(CUDA's error 100\): nvidia-smi"):
        find_card(lambda name: FakeDriver(init=100))


def test_hidden_cards_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(NoCardError, match=r"it counts 0\): CUDA_VISIBLE_DEVICES is ''"):
        find_card(lambda name: FakeDriver(count=0))
