"""What pages and metrics show of the node: today, peers, models, configuration, disk."""
