"""The report of a preparation, with pictures."""
