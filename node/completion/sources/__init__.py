"""Where instances come from: associations, folders, uploads; a file for each kind."""
