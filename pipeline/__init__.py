"""Floor 4: a complete series in, results on disk out."""
