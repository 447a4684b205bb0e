"""A trained network, from a volume to masks."""
