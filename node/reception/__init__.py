"""C-STORE below pynetdicom's association: from the socket's bytes to an instance that is safe."""
