"""Journals, wherever they are kept: what one is, and those in a file and in a database."""
