"""Preparation of a data set, with report and pictures, from contours on disk."""
