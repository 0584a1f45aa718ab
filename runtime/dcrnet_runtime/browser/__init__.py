"""The model in a phone's browser: a static page, written once and served by anyone."""
