"""Reading and writing of Segmentations (PS3.3 A.51)."""
