"""Learning from other networks' answers, also to pictures that nobody labelled."""
