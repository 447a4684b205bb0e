"""Delivery of results to peers: sending, trying again, proof of storage."""
