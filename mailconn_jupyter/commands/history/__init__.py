"""Looking back: what was sent, and the journals of batches."""
