"""Connections from and to elsewhere: one file a format, which knows what that writer meant."""
