"""Faces and activation ranges that int8 is calibrated with."""
