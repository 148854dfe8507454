"""Real mail servers and proxies on loopback, and links and servers that misbehave on purpose.

The fixtures of the real ones are in ``fixtures.py`` and last a session. :class:`Relay` and
:class:`ScriptServer` are context managers that a test makes for itself.
"""

from __future__ import annotations

from tests.servers.certificates import Certificate, Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.faults import Cut, Drop, Trickle
from tests.servers.postfix import Postfix
from tests.servers.proxies import Proxy
from tests.servers.relay import Relay
from tests.servers.script import ScriptServer

__all__ = [
    "Certificate",
    "Certificates",
    "Cut",
    "Dovecot",
    "Drop",
    "Postfix",
    "Proxy",
    "Relay",
    "ScriptServer",
    "Trickle",
]
