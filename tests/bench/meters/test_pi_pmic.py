"""The Raspberry Pi 5's rails, from text in the form that ``vcgencmd pmic_read_adc`` prints.

Rail names, units and numbering are the firmware's; the values are made up. No test has run on a
board.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dcrnet_bench.meters.meter import NoMeterError
from dcrnet_bench.meters.sensors.command import Command, run_here
from dcrnet_bench.meters.sensors.pi_pmic import open_pi_pmic, rail_watts

PRINTED = """\
 3V7_WL_SW_A current(0)=0.10000000A
   3V3_SYS_A current(1)=0.20000000A
  DDR_VDD2_A current(3)=0.01000000A
  VDD_CORE_A current(7)=2.00000000A
      HDMI_A current(22)=0.02000000A
 3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
  DDR_VDD2_V volt(11)=1.10000000V
  VDD_CORE_V volt(15)=0.90000000V
      HDMI_V volt(23)=5.00000000V
     EXT5V_V volt(24)=5.10000000V
      BATT_V volt(25)=0.00000000V
"""


def answering(*printed: str) -> tuple[list[Sequence[str]], Command]:
    """A command that prints each text once, the last one ever after, and what it was asked."""
    asked: list[Sequence[str]] = []
    left = list(printed)

    def command(words: Sequence[str]) -> str:
        asked.append(words)
        return left.pop(0) if len(left) > 1 else left[0]

    return asked, command


def test_rails_with_voltage_and_current_are_multiplied() -> None:
    watts = rail_watts(PRINTED)
    assert watts == pytest.approx(
        {"3V7_WL_SW": 0.37, "3V3_SYS": 0.66, "DDR_VDD2": 0.011, "VDD_CORE": 1.8, "HDMI": 0.1}
    )


def test_the_meter_has_their_sum_and_says_what_it_does_not_see() -> None:
    asked, command = answering(PRINTED)
    meter = open_pi_pmic(command)
    assert meter.rails == ("3V7_WL_SW", "3V3_SYS", "DDR_VDD2", "VDD_CORE", "HDMI")
    assert "what hangs on the 5 V input (USB, HAT, fan) are not seen" in meter.uncertainty
    assert meter.read_w() == pytest.approx(2.941)
    assert set(asked) == {("vcgencmd", "pmic_read_adc")}


@pytest.mark.parametrize(
    "printed", ['error=1 error_msg="Command not registered"', "VCHI initialization failed"]
)
def test_what_the_firmware_refuses_is_told(printed: str) -> None:
    _, command = answering(printed)
    with pytest.raises(NoMeterError, match="vcgencmd pmic_read_adc says: "):
        open_pi_pmic(command)


def test_a_board_that_tells_no_rail_is_named() -> None:
    _, command = answering("EXT5V_V volt(24)=5.1V\n")
    with pytest.raises(NoMeterError, match="that takes a Raspberry Pi 5"):
        open_pi_pmic(command)


def test_a_rail_that_disappears_ends_the_span() -> None:
    without = "\n".join(line for line in PRINTED.splitlines() if "HDMI" not in line)
    _, command = answering(PRINTED, PRINTED, without)
    meter = open_pi_pmic(command)
    meter.start()
    with pytest.raises(NoMeterError, match="no longer tells the power of the same rails"):
        meter.stop()


def test_a_machine_without_the_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NoMeterError, match="vcgencmd does not run here"):
        open_pi_pmic(run_here)
