"""What a run leaves in its folder while it trains: logs, weights, points to resume at."""
