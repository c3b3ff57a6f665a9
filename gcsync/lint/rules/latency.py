"""GC4: waiting against a budget."""
