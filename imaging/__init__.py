"""Floor 2: series, geometry, volumes, contours, structure sets; no torch, no network."""
