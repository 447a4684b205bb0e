"""Steps of the ledger."""
