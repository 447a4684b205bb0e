"""RT Structure Sets (PS3.3 A.19), written and read."""
