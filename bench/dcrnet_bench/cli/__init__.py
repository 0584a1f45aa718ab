"""The command ``dcrnet-bench``."""
