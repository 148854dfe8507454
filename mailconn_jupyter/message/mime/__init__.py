"""The bytes of a message: its tree of parts, its header, and how both travel."""
