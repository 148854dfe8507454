"""The form: the list of the connections, and the page on which one is edited."""
