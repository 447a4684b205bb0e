"""Reading and writing of RT Structure Sets (PS3.3 A.19)."""
