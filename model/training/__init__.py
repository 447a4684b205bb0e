"""Training: options, plan, losses, checkpoints, resuming."""
