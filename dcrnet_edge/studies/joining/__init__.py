"""Figures of models that several studies and the bench wrote, joined by the models' files."""
