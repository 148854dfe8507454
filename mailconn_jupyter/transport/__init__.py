"""Sockets and bytes: names to addresses, TCP, proxies, TLS and SASL. Nothing here knows a connection by its name."""
