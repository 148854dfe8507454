"""Many messages at once: several connections, their pace, what becomes of each, and a journal of it."""
