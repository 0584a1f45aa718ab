"""The three parts of ``dcrnet-study gan``."""
