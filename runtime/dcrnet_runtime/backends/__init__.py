"""Exported models behind one interface, whatever their format."""
