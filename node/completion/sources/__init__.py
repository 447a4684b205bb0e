"""Sources of instances: associations, folders and uploads; a file for each kind."""
