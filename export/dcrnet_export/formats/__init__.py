"""The file formats that are written, each an entry."""
