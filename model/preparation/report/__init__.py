"""Report of a preparation, with pictures."""
