"""Data sets of images with masks: read, written, augmented and batched."""
