"""Maps of what a network looks at, and where in the face they lie."""
