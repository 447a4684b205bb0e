"""The pages: cases with state and history, peers, models, configuration, log."""
