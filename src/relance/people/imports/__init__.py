"""Files of people on their way in: read, staged, weighed, written in chunks, undone."""
