"""From a mail address to the settings of its server."""
