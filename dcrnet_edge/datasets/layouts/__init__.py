"""The data sets that are known, a file each."""
