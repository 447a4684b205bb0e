"""Functions on the ledger's rows, a module for each table."""
