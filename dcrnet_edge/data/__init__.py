"""From samples to batches: faces found, prepared, augmented and put in order."""
