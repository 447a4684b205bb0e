"""From drawn contours on disk to a data set, a report and pictures."""
