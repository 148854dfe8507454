"""The servers as fixtures: started when first asked for, ended with the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.certificates import Certificates, make_certificates
from tests.servers.dante import run_dante
from tests.servers.dovecot import Dovecot, run_dovecot
from tests.servers.issuer import Issuer, IssuerTokens, run_issuer
from tests.servers.microsocks import run_microsocks
from tests.servers.postfix import Postfix, run_postfix
from tests.servers.postgresql import PostgreSQL, run_postgresql
from tests.servers.proxies import Proxy
from tests.servers.proxy_py import run_proxy_py
from tests.servers.squid import run_squid
from tests.servers.state_folder import state_folder


@pytest.fixture(scope="session")
def server_state() -> Iterator[Path]:
    """A folder for the servers' files.

    Not pytest's own temporary folder: that path may be too long for Unix sockets, and closed to
    the servers' users.
    """
    with state_folder() as state:
        yield state


@pytest.fixture(scope="session")
def certificates(server_state: Path) -> Certificates:
    """An authority's certificates, good and bad."""
    folder = server_state / "certificates"
    folder.mkdir()
    return make_certificates(folder)


@pytest.fixture(scope="session")
def dovecot(server_state: Path, certificates: Certificates) -> Iterator[Dovecot]:
    """IMAP, POP3 and submission (submission needs the fixture postfix as well)."""
    with run_dovecot(server_state / "dovecot", certificates) as server:
        yield server


@pytest.fixture(scope="session")
def postfix(server_state: Path, certificates: Certificates, dovecot: Dovecot) -> Iterator[Postfix]:
    """SMTP of every kind."""
    with run_postfix(server_state / "postfix", certificates, dovecot) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql(server_state: Path) -> Iterator[PostgreSQL]:
    """A database."""
    with run_postgresql(server_state / "postgresql") as server:
        yield server


@pytest.fixture(scope="session")
def microsocks(server_state: Path) -> Iterator[Proxy]:
    """A SOCKS5 proxy with a password."""
    with run_microsocks(server_state / "microsocks", "u", "p") as proxy:
        yield proxy


@pytest.fixture(scope="session")
def microsocks_open(server_state: Path) -> Iterator[Proxy]:
    """A SOCKS5 proxy without a password."""
    with run_microsocks(server_state / "microsocks-open") as proxy:
        yield proxy


@pytest.fixture(scope="session")
def dante(server_state: Path) -> Iterator[Proxy]:
    """A proxy for SOCKS4 without and SOCKS5 with a password."""
    with run_dante(server_state / "dante") as proxy:
        yield proxy


@pytest.fixture(scope="session")
def squid(server_state: Path, postfix: Postfix, dovecot: Dovecot) -> Iterator[Proxy]:
    """An HTTP proxy with a password, whose tunnels go to the mail servers' ports alone."""
    with run_squid(server_state / "squid", (*postfix.ports, *dovecot.ports)) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def proxy_py(server_state: Path) -> Iterator[Proxy]:
    """An HTTP proxy with a password, whose tunnels go to any port."""
    with run_proxy_py(server_state / "proxy-py") as proxy:
        yield proxy


@pytest.fixture(scope="session")
def issuer(server_state: Path, certificates: Certificates) -> Iterator[Issuer]:
    """An OAuth 2.0 server."""
    with run_issuer(server_state / "issuer", certificates) as server:
        yield server


@pytest.fixture(scope="session")
def token_dovecot(server_state: Path, certificates: Certificates, issuer: Issuer) -> Iterator[Dovecot]:
    """A Dovecot that takes the issuer's tokens, which it verifies by itself."""
    source = IssuerTokens(issuer, introspect=False)
    with run_dovecot(server_state / "token-dovecot", certificates, source) as server:
        yield server


@pytest.fixture(scope="session")
def token_postfix(server_state: Path, certificates: Certificates, token_dovecot: Dovecot) -> Iterator[Postfix]:
    """A Postfix whose logins :func:`token_dovecot` judges."""
    with run_postfix(server_state / "token-postfix", certificates, token_dovecot) as server:
        yield server


@pytest.fixture(scope="session")
def asking_dovecot(server_state: Path, certificates: Certificates, issuer: Issuer) -> Iterator[Dovecot]:
    """A Dovecot that asks the issuer about each token (RFC 7662)."""
    source = IssuerTokens(issuer, introspect=True)
    with run_dovecot(server_state / "asking-dovecot", certificates, source) as server:
        yield server


@pytest.fixture(scope="session")
def asking_postfix(server_state: Path, certificates: Certificates, asking_dovecot: Dovecot) -> Iterator[Postfix]:
    """A Postfix whose logins :func:`asking_dovecot` judges."""
    with run_postfix(server_state / "asking-postfix", certificates, asking_dovecot) as server:
        yield server
