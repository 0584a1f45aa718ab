"""What a change of data set costs."""
