"""Benchmark of the wire, compared with DCMTK, Orthanc and pynetdicom."""
