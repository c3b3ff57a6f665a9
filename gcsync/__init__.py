"""gcsync: the settings of Genesys Cloud data actions as code."""

__version__ = "0.1.0"
