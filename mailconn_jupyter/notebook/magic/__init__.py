"""The line of ``%mailconn``: its words, its flags, what Tab offers, and what it sets going."""
