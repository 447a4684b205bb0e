"""Users, sessions and access to pages and REST API."""
