"""Signing and encrypting what is sent, with the S/MIME files of its connection."""

from __future__ import annotations

from email.message import EmailMessage
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..connection import MailConnection
from ..errors import SMIMEError
from ..message.addresses import header_addresses

if TYPE_CHECKING:
    from ..message.smime.certificate_folder import CertificateFolder
    from ..message.smime.own_key import OwnKey

__all__ = ["Seal"]


class Seal:
    """What is done to each message before it is sent; nothing where neither was asked for.

    The files are read once, and a passphrase is asked for once.
    """

    def __init__(self, connection: MailConnection | None, *, sign: bool, encrypt: bool) -> None:
        self._connection, self._sign, self._encrypt = connection, bool(sign), bool(encrypt)

    def __bool__(self) -> bool:
        return self._sign or self._encrypt

    @cached_property
    def _own(self) -> OwnKey:
        from ..session.smime_files import own_key_of  # noqa: PLC0415  # cryptography, for those who seal

        return own_key_of(self._connection)

    @cached_property
    def _folder(self) -> CertificateFolder:
        from ..message.smime.certificate_folder import CertificateFolder  # noqa: PLC0415  # as above
        from ..session.smime_files import folder_of_others  # noqa: PLC0415  # as above

        return CertificateFolder(folder_of_others(self._connection))

    def __call__(self, message: EmailMessage) -> EmailMessage:
        """The message as it is to travel. Raises :class:`~mailconn_jupyter.errors.SMIMEError` for what cannot be done."""
        if not self:
            return message
        from ..message.smime.sealing import encrypted, signed  # noqa: PLC0415  # as above

        senders = header_addresses(message["From"])
        if self._sign:
            message = signed(message, self._own, senders[0] if len(senders) == 1 else str(message["From"]))
        if self._encrypt:
            message = encrypted(message, self._readers(message))
        return message

    def _readers(self, message: EmailMessage) -> list[Any]:
        if message["Bcc"] is not None:
            raise SMIMEError(
                "An encrypted message names the certificates it is encrypted for, so nobody can be hidden in Bcc.",
                hint="Send them a separate message.",
            )
        named = [address for name in ("To", "Cc") for address in header_addresses(message[name] or "")]
        readers = list(self._folder.of(named).values())
        # What one has sent, one wants to read again.
        if self._connection is not None and self._connection.smime_certificate and self._own.certificate.is_rsa:
            readers.append(self._own.certificate)
        return readers
