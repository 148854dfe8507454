"""A merge in pieces: its rows, what a message takes from one, and what is wrong with one."""
