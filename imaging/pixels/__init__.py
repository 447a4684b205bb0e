"""Pixels of one instance: decoded, rescaled, encoded again, compared."""
