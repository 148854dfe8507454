"""``merge``: its arguments, and what it does."""
