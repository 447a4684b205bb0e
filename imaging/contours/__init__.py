"""Conversion of masks to contours and of contours to masks, in pixel coordinates."""
