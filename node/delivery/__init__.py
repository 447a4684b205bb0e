"""Results on their way to peers: sent, tried again, proven."""
