"""The fault catalogue, written once: what a hostile or broken server does, and what every protocol must make of it.

A protocol brings a :class:`~tests.contract.kit.ProtocolKit`, the server's side of its conversation, and inherits
:class:`~tests.contract.links.LinkFaults`, :class:`~tests.contract.tls.TLSFaults` and
:class:`~tests.contract.logins.LoginFaults`::

    class TestSMTPLinkFaults(LinkFaults):
        kit = SMTPKit()

Each fault is met twice, by ``connect()`` and by ``check()``, and both must tell the same.
"""

from __future__ import annotations
