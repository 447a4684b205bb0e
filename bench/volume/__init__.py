"""A folder to a volume, beside other programs."""
