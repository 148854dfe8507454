"""NSS, which is what Thunderbird signs, encrypts, verifies and decrypts with: a database of its own, and its ``cmsutil``."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.servers.require import require
from tests.support.mail_certificates import Authority, Person

__all__ = ["Nss"]

_TIMEOUT = 60
_PASSPHRASE = "only-in-the-file"


class Nss:
    """What the user of a mail program has: a trusted authority, one's own key, and the certificates of others."""

    def __init__(self, folder: Path, authority: Authority, own: Person, *others: Person) -> None:
        self.folder = folder
        folder.mkdir()
        self._run("certutil", "-N", "--empty-password")
        self._run("certutil", "-A", "-a", "-n", "authority", "-t", ",C,", "-i", authority.write(folder))
        (folder / "own.p12").write_bytes(own.p12(_PASSPHRASE))
        self._run("pk12util", "-i", folder / "own.p12", "-W", _PASSPHRASE, "-K", "")
        for number, other in enumerate(others):
            (folder / "other.der").write_bytes(other.der)
            self._run("certutil", "-A", "-n", f"other {number}", "-t", ",,", "-i", folder / "other.der")

    def _run(self, program: str, *words: str | Path) -> bytes:
        command = [require(program), *words, "-d", f"sql:{self.folder}"]
        done = subprocess.run([*map(str, command)], capture_output=True, check=False, timeout=_TIMEOUT)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def _file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def judged(self, signature: bytes, content: bytes) -> tuple[str, str]:
        """Whose signature it says that this is (RFC 5652, without the content in it), and what it finds of it."""
        files = "-i", self._file("signature", signature), "-c", self._file("content", content)
        # What is wrong with a signature it only says.
        said = self._run("cmsutil", "-D", *files, "-h", "0").decode(errors="replace")
        found = re.search(r'signer0\.id="([^"]*)"; signer0\.status=(\w+)', said)
        assert found is not None, said
        return found[1], found[2]

    def opened(self, data: bytes) -> bytes:
        """What is in encrypted data."""
        return self._run("cmsutil", "-D", "-p", "", "-i", self._file("encrypted", data))

    def signed(self, content: bytes, *, apart: bool) -> bytes:
        """A signature of the content, which stands ``apart`` from it or in it."""
        form = ["-T"] if apart else []
        return self._run("cmsutil", "-S", "-N", "mail", *form, "-G", "-p", "", "-i", self._file("content", content))

    def encrypted(self, content: bytes, *addresses: str) -> bytes:
        """The content for the certificates of these addresses."""
        return self._run("cmsutil", "-E", "-r", ",".join(addresses), "-i", self._file("content", content))
