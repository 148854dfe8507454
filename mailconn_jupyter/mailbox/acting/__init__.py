"""What is done with messages where they lie: moved, copied, marked, deleted."""
