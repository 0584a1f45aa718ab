"""What tells energy or power, one file for each kind."""
