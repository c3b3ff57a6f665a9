"""Talking to Genesys Cloud: hosts, tokens, pacing, and the one HTTP session."""
