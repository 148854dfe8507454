"""What was sent from this machine: kept for a year, without its content, for its owner alone."""
