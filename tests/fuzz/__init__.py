"""Foreign bytes, changed at random: within the tests a few seconds long and always the same, by hand as long as one likes.

``python -m tests.fuzz.received_messages 100000`` and ``python -m tests.fuzz.header_values 20000`` tell what they saw;
``MAILCONN_FUZZ=10000`` has pytest try so many of each, other ones each time. What was found once is in :mod:`.corpus`.
"""
