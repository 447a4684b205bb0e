"""Floor 3: DICOM on the wire (PS3.7, PS3.8) and encoded data sets (PS3.5); no ledger."""
