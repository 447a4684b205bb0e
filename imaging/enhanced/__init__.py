"""Enhanced multi-frame CT, MR and PET: what each frame says (PS3.3 C.7.6.16)."""
