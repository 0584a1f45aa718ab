"""The live page's clients: how they are let in, how long they may take, and who goes."""
