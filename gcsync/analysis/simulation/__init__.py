"""How `gcsync.analysis.simulate` lives through a scenario: arrays, and events where limits bind."""
