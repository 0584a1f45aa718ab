"""Answers of models to data sets, and what they are worth."""
