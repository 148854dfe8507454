"""Microsoft Graph: sending where SMTP is closed."""
