"""GC3: how data actions sign in, and what they show of it."""
