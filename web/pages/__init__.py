"""Pages for people: what came, what became of it, and why."""
