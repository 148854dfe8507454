"""Mail that was read and is secured by S/MIME: opening it, and keeping the certificate that came with it."""

from __future__ import annotations

from ..connection import MailConnection
from ..errors import SMIMEError
from ..formatting import few
from ..keywords import public
from ..message.incoming.parsed import ParsedMessage
from ..names import encode
from ..store import atomic_files, connections

__all__ = ["decrypt", "keep_certificate"]


@public
def decrypt(message: ParsedMessage, target: str | MailConnection | None = None) -> ParsedMessage:
    """An encrypted message that was read (S/MIME), readable; if it was signed within, ``verify()`` checks that next.

    ``target`` is the connection whose ``smime_certificate`` and ``smime_key`` open it; None for the one that reads mail by
    default. Raises :class:`~mailconn_jupyter.errors.SMIMEError` where it is not encrypted, or to somebody else, and
    :class:`~mailconn_jupyter.errors.CredentialError` where the key's passphrase cannot be had.
    """
    from ..message.smime.opened import opened, unwrapped  # noqa: PLC0415  # cryptography, for those who need it
    from ..session.smime_files import own_key_of  # noqa: PLC0415  # as above

    _require_message("decrypt", message)
    connection = connections.pick(target, sends=False) if not isinstance(target, MailConnection) else target
    return unwrapped(opened(message, own_key_of(connection)))


@public
def keep_certificate(message: ParsedMessage, *, ca_file: str = "", unverified: bool = False) -> str:
    """Keep the certificate of whoever signed a message, so that mail can be encrypted to them; returns the file, in words.

    The signature must be verified (see ``verify()``, which ``ca_file`` is for): anybody can sign as anybody.
    ``unverified=True`` keeps it all the same, once you have compared its fingerprint by another route. Raises
    :class:`~mailconn_jupyter.errors.SMIMEError`.
    """
    from ..message.smime.signature import judge  # noqa: PLC0415  # as above
    from ..session.smime_files import folder_of_others  # noqa: PLC0415  # as above

    _require_message("keep_certificate", message)
    found, signer = judge(message, ca_file)
    if signer is None or not signer.addresses:
        raise SMIMEError(f"The certificate was not kept. {found.words}")
    if not found and not unverified:
        raise SMIMEError(
            f"The certificate was not kept. {found.words}",
            hint=f"Compare its fingerprint by another route, and if it is right, give unverified=True: sha256:{found.fingerprint}",
        )
    folder = folder_of_others()
    path = folder / f"{encode(min(signer.addresses))}-{signer.fingerprint[:8]}.pem"
    with atomic_files.locked(folder):
        atomic_files.write(path, signer.pem)
    return f"The certificate of {few(sorted(signer.addresses))} is kept in {atomic_files.show(path)}."


def _require_message(name: str, message: object) -> None:
    if not isinstance(message, ParsedMessage):
        raise SMIMEError(
            f"{name}() takes a message that was read, not {type(message).__name__}.",
            hint=f'For example: {name}(next(mailconn.messages("inbox")))',
        )
