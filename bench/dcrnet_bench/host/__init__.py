"""The machine that a figure is of."""
