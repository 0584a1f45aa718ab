"""The models that each back end runs."""
