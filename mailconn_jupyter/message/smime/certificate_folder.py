"""The certificates of others, in a folder: one file for each, or several in one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from ...errors import SMIMEError
from .mail_certificate import MailCertificate, certificates_in, folded

__all__ = ["CertificateFolder", "read_file"]

_SUFFIXES: Final = {".pem", ".crt", ".cer", ".der", ".p7b", ".p7c"}
_MOST_BYTES: Final = 1_000_000
_MOST_FILES: Final = 20_000


class CertificateFolder:
    """The certificates of a folder, which is read once: when the first of them is wanted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _known(self) -> dict[str, list[MailCertificate]]:
        """Those of each address."""
        known: dict[str, list[MailCertificate]] = {}
        for each in _all(self._folder):
            for address in each.addresses:
                known.setdefault(address, []).append(each)
        return known

    def of(self, addresses: Iterable[str]) -> dict[str, MailCertificate]:
        """The certificate that a message to each address is encrypted to: of several that may be, the newest.

        Raises :class:`~mailconn_jupyter.errors.SMIMEError`, with a line for each address that has none, or none that may
        be used, and why.
        """
        found: dict[str, MailCertificate] = {}
        missing = []
        for address in dict.fromkeys(addresses):
            own = sorted(
                self._known.get(folded(address), []),
                key=lambda each: each.parsed.not_valid_before_utc,
                reverse=True,
            )
            usable = next((each for each in own if not _unusable(each)), None)
            if usable is not None:
                found[address] = usable
            elif own:
                missing.append(f"{address}: the certificate in {Path(own[0].source).name} {_unusable(own[0])}.")
            else:
                missing.append(f"{address}: there is no certificate for it in {self._folder}.")
        if missing:
            raise SMIMEError(
                "The message cannot be encrypted for everybody. " + " ".join(missing[:5]) + _more(len(missing) - 5),
                hint="Ask for a signed mail: mailconn.keep_certificate(message) keeps the certificate that comes with it.",
            )
        return found


def _more(count: int) -> str:
    return f" And {count} more." if count > 0 else ""


def _unusable(certificate: MailCertificate) -> str:
    """What keeps it from being encrypted to, as the end of a sentence."""
    if certificate.flaw:
        return certificate.flaw
    if not certificate.encrypts:
        return "is not for encrypting mail"
    return (
        ""
        if certificate.is_rsa
        else f"has {certificate.key_kind}, and messages can be encrypted here only with RSA keys"
    )


def _all(folder: Path) -> Iterator[MailCertificate]:
    try:
        with os.scandir(folder) as entries:
            files = sorted(
                (entry for entry in entries if Path(entry.name).suffix.lower() in _SUFFIXES),
                key=lambda entry: entry.name,
            )
    except OSError:
        return
    for entry in files[:_MOST_FILES]:
        try:
            status = entry.stat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES:
            yield from _read(entry.path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=_MOST_FILES)
def _read(path: str, changed: int, size: int) -> tuple[MailCertificate, ...]:  # noqa: ARG001  # until the file is another
    try:
        return read_file(Path(path))
    except OSError:
        return ()


def read_file(path: Path) -> tuple[MailCertificate, ...]:
    """The certificates of a file, at most 1 MB of it; none where it holds none. Raises :class:`OSError`."""
    with path.open("rb") as file:
        return tuple(MailCertificate.of(parsed, str(path)) for parsed in certificates_in(file.read(_MOST_BYTES)))
