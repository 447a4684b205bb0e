"""Cases for pages and API: what came, slices, contours."""
