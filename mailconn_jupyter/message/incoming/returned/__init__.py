"""What servers say of mail that they could not deliver, or have delivered; none of it is proof of anything."""
