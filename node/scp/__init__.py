"""Services of the SCP (C-STORE, storage commitment), and storage of received instances."""
