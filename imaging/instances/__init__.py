"""One instance: its header, its frames, and what is wrong with it."""
