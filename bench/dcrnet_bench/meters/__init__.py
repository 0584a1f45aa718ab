"""What an inference costs in energy."""
