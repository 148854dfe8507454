"""Messages: whom they may go to, and the bytes that travel."""
