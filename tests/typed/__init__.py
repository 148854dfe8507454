"""Snippets that a type checker is asked about: ``good.py`` must pass, each line of ``bad.py`` says what is wrong with it."""
