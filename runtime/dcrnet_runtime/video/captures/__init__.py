"""What opens a source and gives its frames, one module for each library or wire format."""
