"""Generated faces: the networks that draw them, how these are trained, and how they are judged."""
