"""Associations that peers open, on top of pynetdicom."""
