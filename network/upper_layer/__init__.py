"""The DICOM upper layer (PS3.8) and messages (PS3.7) of one association, in either role."""
