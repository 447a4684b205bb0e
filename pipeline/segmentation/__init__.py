"""Segmentation: images to masks, masks to structure sets and DICOM Segmentations."""
