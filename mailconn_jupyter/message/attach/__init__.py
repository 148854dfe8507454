"""What is attached to a message: found, written as files, packed."""
