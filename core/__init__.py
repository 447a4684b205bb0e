"""Floor 1: errors, configuration, logging, identities; no sockets, no arrays."""
