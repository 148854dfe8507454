"""Messages that came from somewhere: nothing in them is trusted."""
