"""Copies of what was sent, and drafts, in the folders of an IMAP mailbox."""
