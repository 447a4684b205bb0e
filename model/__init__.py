"""Floor 3: the UNet, its data, training and inference."""
