"""HTML that somebody else wrote: made safe, read as text, its tables made to look as a notebook shows them."""
