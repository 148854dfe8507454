"""A mailbox file: a :class:`mailbox.mbox` in full."""
