"""Evaluation: agreement of predicted structures with hand-drawn ones, and its report."""
