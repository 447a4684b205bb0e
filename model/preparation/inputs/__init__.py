"""What data sets are made of: structure sets, text contours, arrays."""
