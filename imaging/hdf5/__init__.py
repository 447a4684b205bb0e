"""Conversion of a series to an HDF5 file, and back to DICOM."""
