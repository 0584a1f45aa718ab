"""Tables, one row a face: Parquet, and matrices of features."""
