"""A single SOP instance: its header, its frames, and damage or differences found in it."""
