"""What the node promises, promise by promise."""
