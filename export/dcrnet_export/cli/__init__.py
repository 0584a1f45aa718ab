"""The command ``dcrnet-export``."""
