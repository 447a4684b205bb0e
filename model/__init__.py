"""Floor 3: the UNet, its data sets, training, evaluation and inference."""
