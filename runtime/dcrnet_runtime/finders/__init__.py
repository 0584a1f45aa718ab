"""Face finders: one interface, several providers."""
