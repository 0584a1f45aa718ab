"""A phone's browser as a target."""
