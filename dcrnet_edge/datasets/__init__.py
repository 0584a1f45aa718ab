"""Data sets: adapters from the layouts people have to :class:`Sample` lists."""
