"""A report as one page for people, without scripts and without anything from elsewhere."""
