"""GC6: what counts as a good answer."""
