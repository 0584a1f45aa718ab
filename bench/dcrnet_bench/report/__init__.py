"""What was measured, as data and as one JSON object for scripts (docs/bench-schema.json)."""
