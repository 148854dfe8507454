"""The fault catalogue (tests/contract), met by IMAP, and the faults that only IMAP has."""

from __future__ import annotations

from tests.contract.imap import IMAPKit
from tests.contract.links import LinkFaults
from tests.contract.logins import LoginFaults
from tests.contract.tls import TLSFaults


class TestIMAPLinkFaults(LinkFaults):
    kit = IMAPKit()


class TestIMAPFaultsAroundTLS(TLSFaults):
    kit = IMAPKit()


class TestIMAPLoginFaults(LoginFaults):
    kit = IMAPKit()


class TestIMAPLoginFaultsWithoutInitialResponses(LoginFaults):
    kit = IMAPKit(initial_responses=False)
