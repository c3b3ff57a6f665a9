"""GC2: how failed calls are repeated."""
