"""Pixels of an instance: decoding, rescale, transcoding, comparison."""
