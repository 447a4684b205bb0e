"""Cases for pages and API: history, received images, slices, contours."""
