"""What training and evaluation need installed."""

from __future__ import annotations

from dcrnet_runtime.cli.extra import require_extra

_MODULES = (
    *("torch", "lightning", "safetensors", "sklearn", "scipy", "statsmodels"),
    *("matplotlib", "pydantic", "tomli_w"),
)


def train_extra() -> None:
    """Refuse to go on without what training and evaluation need.

    Raises:
        DcrnetError: the ``train`` extra is not installed.
    """
    require_extra("train", _MODULES)
