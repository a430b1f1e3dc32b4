"""One file per format of another system."""
