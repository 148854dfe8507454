"""``jupyter mailconn``: the commands that need no notebook, in a terminal and for CI."""
