"""The graphics card that a figure is of."""
