"""Floor 2: instances, series, geometry, volumes, contours, structure sets; no torch, no network."""
