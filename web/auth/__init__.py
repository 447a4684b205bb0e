"""Who may look at pages and use the REST API."""
