"""One training: options, network, losses, checkpoints, resuming."""
