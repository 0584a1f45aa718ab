"""How a network is run on a GPU, and the thin interface through which that is measured."""
