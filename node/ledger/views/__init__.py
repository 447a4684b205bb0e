"""What the rows say of a series, for people and programs."""
