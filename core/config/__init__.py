"""The configuration: its file, its sections, and what each key may be."""
