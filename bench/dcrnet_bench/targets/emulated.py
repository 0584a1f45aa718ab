"""An ARM core that this machine emulates."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.emulation.guest import Guest
from dcrnet_bench.emulation.plugin import build_plugin
from dcrnet_bench.emulation.root import find_root
from dcrnet_bench.host.device import Device
from dcrnet_bench.report.report import Report
from dcrnet_bench.targets.elsewhere import check_files, report_from, tell_all, with_portrait
from dcrnet_bench.targets.place import Emulated
from dcrnet_bench.targets.target import Plan
from dcrnet_bench.targets.worker import write_order
from dcrnet_runtime.errors import DcrnetError

_BASE_LIMIT_S = 900.0
_LIMIT_S_A_MODEL = 1800.0


@dataclass(frozen=True, slots=True)
class EmulatedTarget:
    """A core that counts what it executes.

    Attributes:
        guest: that runs the measurement.
    """

    guest: Guest

    @classmethod
    def open(cls, device: Device, place: Emulated) -> EmulatedTarget:
        """The core of ``place``.

        Raises:
            DcrnetError: ``device`` is none of ARM's, or the ARM root, QEMU or a compiler is
                missing; says what to do.
        """
        if device is not Device.ARM:
            raise DcrnetError("`emulate` plays an ARM core: use `device` arm with it")
        return cls(Guest(find_root(), place.core, build_plugin()))

    def measure(self, plan: Plan, warn: Callable[[str], None]) -> Report:
        """Load, answer, count.

        Args:
            plan: what; its rules on samples do not hold here.
            warn: told what the emulated measurement warns of.

        Raises:
            DcrnetError: a model or the source cannot be used, or the emulator fails.
        """
        check_files(plan)
        with tempfile.TemporaryDirectory(prefix="dcrnet-bench-") as name:
            folder = Path(name)
            whole = with_portrait(plan, folder)
            order, report, counts = (folder / each for each in ("order", "report", "counts"))
            models = {path: str(path.absolute()) for path in plan.models}
            source = "" if whole.source is None else str(whole.source.absolute())
            write_order(Device.ARM, whole, order, models, source)
            ended = self.guest.run(
                ["-m", "dcrnet_bench.targets.worker", str(order), str(report)],
                what="measuring",
                limit_s=_BASE_LIMIT_S + _LIMIT_S_A_MODEL * len(plan.models),
                counts=counts,
            )
            tell_all(warn, ended.stderr)
            here = {name: path for path, name in models.items()}
            return report_from(report.read_text(), here, f"the emulated {self.guest.core}")
