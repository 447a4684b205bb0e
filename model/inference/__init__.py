"""Inference with a trained network: from a volume to masks."""
