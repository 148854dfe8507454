"""The cell below a ``%%mailconn``: run, recorded, and shown before it is sent."""
