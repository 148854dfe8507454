"""POP3: a :class:`poplib.POP3` in full."""
