"""Training runs, resumable at any step."""
