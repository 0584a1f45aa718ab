"""Networks, their weights and their statistics."""
