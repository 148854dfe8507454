"""IMAP: an :class:`imap_tools.BaseMailBox` in full."""
