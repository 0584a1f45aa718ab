"""The commands ``dcrnet-train`` and ``dcrnet-eval``."""
