"""The ledger: what was received, decided, computed and delivered; the truth of the node."""
