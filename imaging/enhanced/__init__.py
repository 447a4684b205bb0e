"""Enhanced multi-frame CT, MR and PET: the attributes of each frame (PS3.3 C.7.6.16)."""
