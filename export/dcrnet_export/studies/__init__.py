"""Measurements of what each step of the rewrite gains."""
