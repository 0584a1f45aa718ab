"""Measures where it runs, for a target elsewhere:

    python -m dcrnet_bench.targets.worker ORDER REPORT

``ORDER`` is what :func:`write_order` wrote. What was seen on the way are lines ``warning: ...`` of
standard error; what ended it is a line ``error: ...``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from dcrnet_bench.host.device import Device
from dcrnet_bench.targets.local import LocalTarget
from dcrnet_bench.targets.target import Plan
from dcrnet_runtime.errors import DcrnetError


def write_order(
    device: Device, plan: Plan, file: Path, models: Mapping[Path, str], source: str
) -> None:
    """Write what is to be measured.

    Args:
        device: as which.
        plan: with files of this machine.
        file: to write.
        models: what each of the plan is called where it is measured.
        source: likewise of the plan's; empty for none.
    """
    values = {each.name: getattr(plan, each.name) for each in fields(plan)}
    named = {
        **values,
        "models": [models[path] for path in plan.models],
        "source": source or None,
        "baseline": plan.baseline and models[plan.baseline],
    }
    file.write_text(json.dumps({"device": device, "plan": named}))


def read_order(file: Path) -> tuple[Device, Plan]:
    """What :func:`write_order` wrote."""
    order = json.loads(file.read_text())
    values = order["plan"]
    for name in ("source", "baseline"):
        values[name] = values[name] and Path(values[name])
    values["models"] = [Path(each) for each in values["models"]]
    return Device(order["device"]), Plan(**values)


def main(arguments: Sequence[str]) -> int:
    """Measure, and write the report."""
    order, report = map(Path, arguments)
    try:
        device, plan = read_order(order)
        measured = LocalTarget.open(device).measure(plan, _warn)
    except DcrnetError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    report.write_text(measured.to_json() + "\n")
    return 0


def _warn(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
