"""Reading mail, whatever the protocol: which messages are meant, fetched in portions, as objects or as a table."""
