"""Where models are measured."""
