"""Today, peers, models, disk, metrics."""
