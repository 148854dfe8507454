"""What a Styler is made of: its rows, what it shows, its HTML with the styles inline."""
