"""Floor 4: pipelines, from a complete series to results on disk."""
