"""An .ipynb turned into content of a message."""
