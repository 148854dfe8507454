"""Sending: what became of a message, recipient by recipient."""
