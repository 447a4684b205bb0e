"""The services of the SCP, and where received instances go."""
