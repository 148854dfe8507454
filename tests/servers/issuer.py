"""oidc-provider: a certified OAuth 2.0 and OpenID Connect server, whose tokens Dovecot takes."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.approval import Browser
from tests.servers.certificates import Certificates
from tests.servers.node import install, node
from tests.servers.ports import free_ports
from tests.servers.process import running
from tests.servers.templates import fill

_PROJECT = Path(__file__).with_name("identity")


@dataclass(frozen=True)
class Issuer:
    """A running authorization server, over TLS with the good certificate; refresh tokens rotate.

    Its public clients are ``mailconn``, ``brief`` (access tokens of 5 seconds), ``hasty`` (device codes of 2 seconds)
    and ``opaque`` (tokens that Dovecot must ask about); ``confidential`` has a secret beside the person's approval
    (``c0nf``); ``robot`` and ``robot-brief`` take client credentials (``r0bot``), ``service`` a service account's
    assertion.
    """

    port: int
    plain_port: int
    state: Path
    certificates: Certificates
    host: str = "localhost"

    @property
    def url(self) -> str:
        """The issuer, as its metadata say it."""
        return f"https://{self.host}:{self.port}"

    @property
    def service_account(self) -> Path:
        """The key of a service account, as Google gives it out."""
        return self.state / "service-account.json"

    def browser(self, user: str = "alice") -> Browser:
        """A person with a browser."""
        return Browser(ssl.create_default_context(cafile=str(self.certificates.ca.pem)), user)

    def events(self) -> list[dict[str, Any]]:
        """What it granted, refused and revoked so far: ``what``, ``grant``, ``client``, and the ``secrets`` in it."""
        lines = (self.state / "log").read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def count(self, what: str, grant: str, client: str) -> int:
        """How often that happened so far, for example granted, refresh_token, brief."""
        wanted = what, grant, client
        return [(event["what"], event.get("grant"), event.get("client")) for event in self.events()].count(wanted)

    def secrets(self) -> set[str]:
        """Every token, code, verifier and client's secret that was in a question or an answer so far."""
        return {secret for event in self.events() for secret in event["secrets"]}


@dataclass(frozen=True)
class IssuerTokens:
    """Has a Dovecot take the issuer's access tokens: verified there, or by asking the issuer for each."""

    issuer: Issuer
    introspect: bool

    def configure(self, state: Path) -> str:
        """Write what Dovecot needs to *state*; return its oauth2.ext."""
        if self.introspect:
            return fill("introspection.ext", port=self.issuer.plain_port)
        folder = state / "keys" / "default" / "RS256"
        folder.mkdir(parents=True)
        (folder / "k1").write_bytes((self.issuer.state / "RS256.pem").read_bytes())
        return fill("oauth2.ext", state=state, issuer=self.issuer.url)


@contextmanager
def run_issuer(state: Path, certificates: Certificates) -> Iterator[Issuer]:
    """Run an authorization server whose files are under *state*."""
    folder, program = install(_PROJECT), node()
    state.mkdir(parents=True)
    port, plain_port = free_ports(2)
    issuer = Issuer(port, plain_port, state, certificates)
    _make_service_account(issuer)
    command = [program, str(folder / "server.mjs"), str(state), str(port), str(plain_port)]
    command += [str(certificates.good.pem), str(certificates.good.key), str(state / "service.pem")]
    with running(command, port=port, log=state / "log", seconds=30):
        yield issuer


def _make_service_account(issuer: Issuer) -> None:
    account, public = service_account(issuer.url)
    (issuer.state / "service.pem").write_bytes(public)
    issuer.service_account.write_text(json.dumps(account))
    issuer.service_account.chmod(0o600)


def service_account(url: str) -> tuple[dict[str, str], bytes]:
    """A new service account in the form that Google gives out, and its public key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    account = {
        "type": "service_account",
        "private_key_id": "k7",
        "private_key": private.decode(),
        "client_email": "jobs@project.test",
        "token_uri": f"{url}/token",
    }
    return account, public
