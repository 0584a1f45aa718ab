"""What an exported file must pass before it gets its name."""
