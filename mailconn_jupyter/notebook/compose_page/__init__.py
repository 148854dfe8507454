"""``%mailconn compose`` and ``compose_form()``: a page on which a mail is written, looked at and sent, without code."""
