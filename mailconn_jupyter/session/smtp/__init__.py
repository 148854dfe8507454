"""SMTP: an :class:`smtplib.SMTP` in full."""
