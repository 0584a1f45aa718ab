"""The command ``dcrnet-run``, and what all commands share."""
