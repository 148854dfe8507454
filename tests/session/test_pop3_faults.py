"""The fault catalogue (tests/contract), met by POP3, and the faults that only POP3 has."""

from __future__ import annotations

from tests.contract.links import LinkFaults
from tests.contract.logins import LoginFaults
from tests.contract.pop3 import POP3Kit
from tests.contract.tls import TLSFaults


class TestPOP3LinkFaults(LinkFaults):
    kit = POP3Kit()


class TestPOP3FaultsAroundTLS(TLSFaults):
    kit = POP3Kit()


class TestPOP3LoginFaults(LoginFaults):
    kit = POP3Kit()
