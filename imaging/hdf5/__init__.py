"""A series in one HDF5 file, and back to DICOM."""
