"""What runs in a rival's own interpreter: it imports NumPy, OpenCV and the rival alone."""
