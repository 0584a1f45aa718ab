"""The networks and losses of the paper's ablation, and what several seeds of each show."""
