"""SASL, the client's side (RFC 4422): the mechanisms, the choice between them, and the exchange."""
