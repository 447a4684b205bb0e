"""The write-ahead log of received instances, and the files made of it."""
