"""Pictures with the answers drawn in: photos, video and a window."""
