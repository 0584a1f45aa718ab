"""Photos of an archive answered by several machines, which write Parquet parts."""
