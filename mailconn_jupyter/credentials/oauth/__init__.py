"""Signing in with OAuth 2.0: a person once, and tokens from then on. Nothing here is imported without need."""
