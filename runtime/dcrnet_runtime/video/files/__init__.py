"""Which files a source is made of, and what their bytes say they are."""
