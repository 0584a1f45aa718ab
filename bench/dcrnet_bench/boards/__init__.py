"""Boards: other machines, reached by this one's own ssh or adb."""
