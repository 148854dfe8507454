"""mutt with S/MIME, at a terminal of its own: it reads a message and writes one, and its keys are pressed."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.servers.require import require
from tests.support.mail_certificates import Authority, Person

__all__ = ["Mutt"]

_PASSPHRASE = "correct horse"
_SECONDS = 30
# What openssl is to do, with mutt's own places: the data, the signature, certificate and key, the authority.
_RC = """
set crypt_use_gpgme=no smime_is_default=yes crypt_autosmime=yes
set smime_ca_location="{folder}/authority.pem"
set smime_certificates="{folder}/certificates" smime_keys="{folder}/keys"
set smime_default_key="{own}" smime_sign_as="{own}"
set smime_encrypt_with="aes256" smime_sign_digest_alg="sha256"
set smime_pk7out_command="openssl smime -verify -in %f -noverify -pk7out"
set smime_get_cert_command="openssl pkcs7 -print_certs -in %f"
set smime_get_signer_cert_command="openssl smime -verify -in %f -noverify -signer %c -out /dev/null"
set smime_get_cert_email_command="openssl x509 -in %f -noout -email"
set smime_encrypt_command="openssl cms -encrypt -%a -outform DER -in %f %c"
set smime_sign_command="openssl smime -sign -md %d -signer %c -inkey %k -passin stdin -in %f -certfile %i -outform DER"
set smime_decrypt_command="openssl cms -decrypt -passin stdin -inform DER -in %f -inkey %k -recip %c"
set smime_verify_command="openssl smime -verify -inform DER -in %s %C -content %f -out /dev/null"
set smime_verify_opaque_command="openssl smime -verify -inform DER -in %s %C"
set from="{address}" realname="Bob" sendmail="{folder}/sendmail" pager="{folder}/pager" editor=true
set copy=no wait_key=no prompt_after=no autoedit fast_reply abort_unmodified=no folder="{folder}"
"""


class Mutt:
    """The mutt of ``own``, which has the certificates of ``others``."""

    def __init__(
        self, folder: Path, authority: Authority, own: tuple[str, Person], *others: tuple[str, Person]
    ) -> None:
        require("openssl")
        self.program, self.folder = require("mutt"), folder
        for name in ("certificates", "keys"):
            (folder / name).mkdir(parents=True)
        authority.write(folder)
        lines = []
        for number, (address, person) in enumerate([own, *others]):
            (folder / "certificates" / f"{number}.0").write_bytes(person.pem)
            lines.append(f"{address} {number}.0 {address} ? t\n")
        (folder / "certificates" / ".index").write_text("".join(lines), encoding="utf-8")
        (folder / "keys" / "0.0").write_bytes(own[1].key_pem(_PASSPHRASE))
        (folder / "keys" / ".index").write_text(lines[0], encoding="utf-8")
        for program, does in (("sendmail", "cat"), ("pager", 'cat "$1"')):
            (folder / program).write_text(f'#!/bin/sh\n{does} > "{folder}/done"\n', encoding="utf-8")
            (folder / program).chmod(0o755)
        (folder / "muttrc").write_text(_RC.format(folder=folder, own="0.0", address=own[0]), encoding="utf-8")

    def shown(self, raw: bytes) -> str:
        """What its pager shows of a message."""
        (self.folder / "box").write_bytes(b"From a Mon Jan  1 00:00:00 2024\n" + raw.replace(b"\r\n", b"\n") + b"\n")
        done = self._done(["-f", str(self.folder / "box"), "-e", 'push "<display-message><exit>"'], {})
        return done.decode()

    def sent(self, to: str, text: str, *, sign: bool = False, encrypt: bool = False) -> bytes:
        """What it hands over to be sent."""
        (self.folder / "text").write_text(text, encoding="utf-8")
        how = f"set crypt_autosign={'yes' if sign else 'no'} crypt_autoencrypt={'yes' if encrypt else 'no'}"
        keys = {b"To: ": b"\r", b"y:Send": b"y"}
        return self._done(["-e", how, "-s", "Report", "-i", str(self.folder / "text"), to], keys)

    def _done(self, words: list[str], keys: Mapping[bytes, bytes]) -> bytes:
        """Run it with these keys, each pressed once the screen shows what it is for; what is in the file at its end."""
        done = self.folder / "done"
        done.unlink(missing_ok=True)
        keys = {b"passphrase:": _PASSPHRASE.encode() + b"\r", **keys}
        master, slave = pytest.importorskip("pty").openpty()
        running = subprocess.Popen(
            [self.program, "-n", "-F", str(self.folder / "muttrc"), *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "HOME": str(self.folder), "TERM": "xterm", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        os.close(slave)
        screen, end = b"", time.monotonic() + _SECONDS
        try:
            while running.poll() is None and time.monotonic() < end:
                if not select.select([master], [], [], 0.1)[0]:
                    continue
                try:
                    screen += os.read(master, 65536)
                except OSError:  # what Linux says where nobody writes any more
                    running.wait(_SECONDS)
                    break
                for shown in [each for each in keys if each in screen]:
                    os.write(master, keys.pop(shown))
        finally:
            running.kill()
            running.wait()
            os.close(master)
        assert done.exists(), screen.decode(errors="replace")
        return done.read_bytes()
