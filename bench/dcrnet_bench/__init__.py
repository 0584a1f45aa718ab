"""What the pipeline costs on this machine: time, memory, arithmetic, energy."""
