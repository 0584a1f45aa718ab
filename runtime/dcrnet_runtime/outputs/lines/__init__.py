"""Text: JSON Lines, one a frame, and CSV, one row a face."""
