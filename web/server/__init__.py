"""The web process: its supervision, its application and its server."""
