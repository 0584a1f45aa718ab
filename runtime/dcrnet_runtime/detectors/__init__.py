"""Face detectors: one interface, several providers."""
