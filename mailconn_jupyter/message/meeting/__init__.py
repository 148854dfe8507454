"""Invitations to meetings, as mail carries them (iMIP, RFC 6047)."""
