"""Pages and the REST API, in a process of their own beside the SCP."""
