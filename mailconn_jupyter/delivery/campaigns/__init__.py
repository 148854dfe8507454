"""Campaigns: a mailing that is described once, and sent here or by many workers, each row once at most."""
