"""The preprocessing contract: from a frame and a face to the network's input."""
