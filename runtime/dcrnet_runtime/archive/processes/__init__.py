"""Worker processes on one machine."""
