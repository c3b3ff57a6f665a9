"""GC5: what data actions send."""
