"""The REST API, one module for each thing that is asked about."""
