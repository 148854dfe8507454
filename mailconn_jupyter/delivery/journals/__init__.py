"""Journals, wherever they are kept: what one is, and how a batch has its intents in it."""
