"""A mail server inside the kernel, so that everything can be tried with no server at all.

>>> from mailconn_jupyter import sandbox
>>> sandbox.running() is None
True

:func:`start` runs it and keeps a connection to it; what is sent there stays in its :class:`Inbox`, whatever the address.
"""

from __future__ import annotations

from .inbox import Inbox
from .life import Sandbox, running, start
from .received import Attachment, Received

__all__ = ["Attachment", "Inbox", "Received", "Sandbox", "running", "start"]
