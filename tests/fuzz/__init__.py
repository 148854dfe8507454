"""What comes from outside, changed at random: within the tests a few seconds long and always the same, by hand without end.

``python -m tests.fuzz.received_messages 100000 --seed 0`` and its like for ``returned_messages``, ``header_values``,
``composed_fields``, ``server_replies`` and ``store_json`` tell what they saw; ``MAILCONN_FUZZ=10000`` has pytest try so many of each, other ones
each time. What was found once is in :mod:`.corpus`, and in the folders ``conversations`` and ``stored``, where
``--keep tests/fuzz/conversations`` puts what fails.
"""
