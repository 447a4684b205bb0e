"""Floor 4: the wire and what follows: receiving, completion, ledger, engine, delivery."""
