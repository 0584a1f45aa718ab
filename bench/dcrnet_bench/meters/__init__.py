"""Energy counters."""
