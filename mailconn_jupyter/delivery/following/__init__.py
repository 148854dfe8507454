"""What became of messages after they were sent, from what has come back to a mailbox."""
