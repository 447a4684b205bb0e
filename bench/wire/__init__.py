"""The wire beside DCMTK, Orthanc and storescp."""
