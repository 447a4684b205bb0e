"""When a series is whole, what runs for it, and what people ask of it."""
