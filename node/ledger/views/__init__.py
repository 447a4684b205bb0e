"""Views of the rows on series, jobs and requests, for people and programs."""
