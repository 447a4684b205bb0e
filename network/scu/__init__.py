"""Associations that the node opens: C-ECHO, C-STORE, C-FIND, storage commitment."""
