"""``%mailconn inbox`` where widgets live: the newest messages, and what can be done with those that are chosen."""
