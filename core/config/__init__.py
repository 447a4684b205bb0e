"""The configuration: its file, its sections, and the values that each key may have."""
