"""Images to masks, and masks to structure sets and segmentations."""
