"""What tables are made of: cells as texts, a grid in HTML and in text, files of the whole."""
