"""The web process: started, wired, served."""
