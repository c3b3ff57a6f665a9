"""GC7: what many callers do to the organisation."""
