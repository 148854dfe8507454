"""The S/MIME files of a connection: its own key, and the folder of the certificates of others."""

from __future__ import annotations

from pathlib import Path

from ..connection import MailConnection
from ..credentials import Kind, Secret, resolve
from ..errors import SMIMEError
from ..message.smime.own_key import OwnKey
from ..own_folder import own_folder
from ..paths import expanded, relative

__all__ = ["folder_of_others", "own_key_of"]

_FOLDER = "certificates"


def own_key_of(connection: MailConnection | None) -> OwnKey:
    """The certificate and the key of a connection; its passphrase is resolved where the key has one.

    Raises :class:`~mailconn_jupyter.errors.SMIMEError`, and :class:`~mailconn_jupyter.errors.CredentialError` for a
    passphrase that cannot be had.
    """
    options = None if connection is None else connection.resolved()
    if connection is None or options is None or not options.smime_certificate:
        whose = repr(connection.name) if connection is not None and connection.name else "the connection"
        raise SMIMEError(
            f"{whose} has no S/MIME certificate.",
            hint="Give it one: %mailconn edit NAME --smime-certificate ~/ana.p12, or two PEM files, with --smime-key",
        )

    def passphrase() -> Secret:
        return resolve(connection, kind=Kind.SMIME).secret

    return OwnKey.read(options.smime_certificate, options.smime_key, passphrase)


def folder_of_others(connection: MailConnection | None = None) -> Path:
    """Where the certificates are that mail is encrypted to: the connection's folder, or the user's own."""
    chosen = "" if connection is None else connection.resolved().smime_folder
    if not chosen:
        return own_folder("data")[0] / _FOLDER
    folder = expanded(chosen)
    if flaw := relative("smime_folder", folder):
        raise SMIMEError(f"{flaw}.", hint="Give its full path, for example ~/certificates")
    return folder
