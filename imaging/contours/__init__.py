"""Masks to contours and contours to masks, in planes of pixels."""
