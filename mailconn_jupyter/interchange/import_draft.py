"""A connection while it is read from another program's file: its options, what a person must know, and its secrets."""

from __future__ import annotations

from typing import Any, Final

from ..connection import MailConnection
from ..connection.expansion import has_variable
from ..credentials.naming import word
from ..errors import MailConnError, OptionError
from ..formatting import cut, shown
from ..secret import Kind, Secret
from .found import FoundConnection

__all__ = ["LONGEST", "Draft", "InterchangeError", "trusts_anybody"]

#: Where no port is given: everybody else's for STARTTLS is that for relays, and ours that for submission (RFC 6409).
_RELAY: Final = 25
#: Characters of a sentence that repeats what stands in a file, which may be of any length.
LONGEST: Final = 500


class InterchangeError(MailConnError, ValueError):
    """A connection cannot be read from another program, or written for it. Nothing was saved."""


def trusts_anybody(what: str) -> InterchangeError:
    """The refusal of a setting that accepts every certificate."""
    return InterchangeError(
        f"{what} accepts any certificate, so the connection was left out.",
        hint="Remove that setting and import again. If the server's certificate is not from a known authority, "
        "pin it: %mailconn test shows the pin (host=sha256:HEX) for trusted_hosts.",
    )


class Draft:
    """What is known of one connection so far."""

    def __init__(self, name: str, protocol: str = "SMTP") -> None:
        self.options: dict[str, Any] = {"name": name, "protocol": protocol}
        self.notes: list[str] = []
        self._secrets: dict[Kind, Secret] = {}

    def note(self, *sentences: str) -> None:
        """What was not mapped, or means something else there, in whole sentences."""
        self.notes += [cut(sentence, LONGEST) for sentence in sentences]

    def unmapped(self, key: str, why: str = "there is no equivalent here") -> None:
        """A setting of theirs that is left out."""
        self.note(f"{shown(key)[1:-1]} was left out: {why}.")

    def give(self, **options: Any) -> None:
        """Options that say something; nothing else is set."""
        self.options |= {name: value for name, value in options.items() if value not in (None, "")}

    def secure(self, security: str) -> None:
        """``SSL``, ``TLS``, ``TLS1.2``, or empty for a link in plain text."""
        self.options["use_secure_authentication"] = bool(security)
        if security:
            self.options["secure_authentication_type"] = security

    def login(self, username: str, *, on: bool = True) -> None:
        """Who logs in; ``on``: there is a login at all."""
        self.give(username=username)
        self.options["use_authentication"] = on

    def secret(self, secret: Secret, kind: Kind = Kind.PASSWORD) -> None:
        """A secret that stood there, if it is one that a login can send."""
        if not secret:
            return
        if flaw := secret.flaw(lines=kind is Kind.CLIENT):
            self.note(f"The {word(kind)} was left out: it {flaw}.")
        else:
            self._secrets[kind] = secret

    def found(self, *, variables: bool = False) -> FoundConnection:
        """The connection; raises :class:`~mailconn_jupyter.errors.OptionError` for what none can have.

        ``variables``: ``${NAME}`` is a variable there, too.
        """
        try:
            connection = MailConnection(**self.options)
        except OptionError as error:
            raise InterchangeError(error.message, hint=error.hint) from None
        if connection.trusts_everything:
            raise trusts_anybody("The * in the trusted hosts")
        self._tell_differences(connection, variables=variables)
        return FoundConnection(connection, tuple(self.notes), dict(self._secrets))

    def _tell_differences(self, connection: MailConnection, *, variables: bool) -> None:
        if connection.protocol == "SMTP" and connection.server_port is None and connection.security.startswith("TLS"):
            connection.server_port = _RELAY
            self.note(
                f"No port is given. The other program uses {_RELAY}; the port for logging in is {connection.usual_port}."
            )
        if connection.protocol != "MBOX" and not connection.security:
            self.note(
                "The link is in plain text, as in the other program. No password is sent over it unless "
                "allow_plaintext_password is turned on here."
            )
        if connection.applies("check_server_identity") and not connection.check_server_identity:
            self.note(
                "The name in the certificate is not checked, as in the other program (check_server_identity is off)."
            )
        if connection.password_command:
            self.note(f"This program runs each time a session opens: {connection.password_command}")
        for name in self.options:
            if not variables and name != "name" and has_variable(value := self.options[name]):
                self.note(
                    f"{name} contains {value}, which stands for an environment variable here, but not in the other program."
                )
        self.note(*(f"It is incomplete. {problem.message}" for problem in connection.problems()))
