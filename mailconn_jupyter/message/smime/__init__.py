"""Mail that is signed and encrypted (S/MIME, RFC 8551): its certificates, and what is made and read with them."""
