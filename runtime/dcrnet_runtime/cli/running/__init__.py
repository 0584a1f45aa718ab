"""How `dcrnet-run` goes through its frames, and what it tells the service manager."""
