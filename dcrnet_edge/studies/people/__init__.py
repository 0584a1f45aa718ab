"""Who is shown: groups, how far they lie apart, and where heads look."""
