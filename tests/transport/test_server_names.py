"""Which host a certificate is for (RFC 9525), by whichever rule it is accepted."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.transport.certificate import Certificate
from tests.contract.imap import IMAPKit
from tests.contract.kit import ProtocolKit
from tests.contract.pop3 import POP3Kit
from tests.contract.smtp import SMTPKit
from tests.servers.certificates import Certificates
from tests.servers.script import ScriptServer, Silence
from tests.support.reading import to_script

KITS = (SMTPKit, IMAPKit, POP3Kit)


def opened(
    kit: type[ProtocolKit], certificates: Certificates, which: str, host: str, **options: Any
) -> OpenError | None:
    """What a session with a server that shows the certificate raises, if anything."""
    script = [*kit().offer(), Silence()]
    context = getattr(certificates, which).server_context()
    with ScriptServer(script, [Silence()], tls=context, strict=False) as server:
        connection = to_script(
            kit.protocol,
            server.port,
            server_host=host,
            use_secure_authentication=True,
            secure_authentication_type="SSL",
            **{"ca_file": str(certificates.ca.pem), **options},
        )
        try:
            connect(connection).close()
        except OpenError as error:
            assert not server.lines
            return error
    return None


@pytest.mark.parametrize("options", [{}, {"trusted_hosts": "localhost"}], ids=["authority", "trusted"])
@pytest.mark.parametrize("kit", KITS)
def test_a_common_name_names_nobody(
    kit: type[ProtocolKit], options: dict[str, Any], certificates: Certificates
) -> None:
    error = opened(kit, certificates, "common_name", "localhost", **options)
    assert error is not None
    assert error.cause == "name-mismatch"
    assert "it names no host, and what its subject says does not count" in error.message


@pytest.mark.parametrize("options", [{}, {"trusted_hosts": "127.0.0.1"}], ids=["authority", "trusted"])
@pytest.mark.parametrize("kit", KITS)
def test_a_name_that_looks_like_an_address_is_none(
    kit: type[ProtocolKit], options: dict[str, Any], certificates: Certificates
) -> None:
    error = opened(kit, certificates, "address_as_name", "127.0.0.1", **options)
    assert error is not None
    assert error.cause == "name-mismatch"
    assert error.message.endswith("it names 127.0.0.1, as a name and not as an address.")


@pytest.mark.parametrize(
    "options",
    [{}, {"trusted_hosts": "localhost"}, {"check_server_identity": False}, {"trusted_hosts": "*"}],
    ids=["authority", "trusted", "unnamed", "everybody"],
)
@pytest.mark.parametrize("kit", KITS)
@pytest.mark.filterwarnings("ignore:.*anybody's certificate is accepted")
def test_a_certificate_that_is_not_for_servers_is_refused(
    kit: type[ProtocolKit], options: dict[str, Any], certificates: Certificates
) -> None:
    error = opened(kit, certificates, "for_clients", "localhost", **options)
    assert error is not None
    assert error.cause == "bad-certificate"


@pytest.mark.parametrize("which", ["common_name", "address_as_name", "for_clients"])
def test_a_pin_accepts_exactly_its_certificate_whatever_it_says(which: str, certificates: Certificates) -> None:
    pin = f"localhost=sha256:{getattr(certificates, which).sha256}"
    assert opened(SMTPKit, certificates, which, "localhost", trusted_hosts=pin) is None


@pytest.mark.parametrize(
    ("which", "options"),
    [
        ("good", {}),
        ("self_signed", {"trusted_hosts": "localhost"}),
        ("self_signed", {"trusted_hosts": "localhost."}),
        ("self_signed", {"trusted_hosts": "LOCALHOST.=sha256:{sha256}"}),
    ],
)
@pytest.mark.parametrize("kit", KITS)
def test_a_final_dot_says_that_a_name_is_complete_and_is_not_part_of_it(
    kit: type[ProtocolKit],
    which: str,
    options: dict[str, str],
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The resolver of a machine without DNS does not know localhost by its complete name.
    asked: Any = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: asked(host.removesuffix("."), *rest, **more))
    given = {name: text.format(sha256=getattr(certificates, which).sha256) for name, text in options.items()}
    assert opened(kit, certificates, which, "localhost.", **given) is None


def test_what_is_read_of_a_certificate_is_what_it_is_for(certificates: Certificates) -> None:
    read = {name: Certificate.read(getattr(certificates, name).der) for name in vars(certificates)}
    assert (read["good"].hosts, read["good"].addresses) == (("localhost", "mail.test"), ("127.0.0.1",))
    assert read["common_name"].names == ()
    assert (read["address_as_name"].hosts, read["address_as_name"].addresses) == (("127.0.0.1",), ())
    assert [name for name, certificate in read.items() if not certificate.for_servers] == ["for_clients"]


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch, certificates: Certificates, tmp_path: Path) -> Path:
    """The authority's file under a name of its own, read by contexts as Python 3.13 makes them."""
    usual: Callable[..., ssl.SSLContext] = ssl.create_default_context

    def as_from_3_13(*given: Any, **named: Any) -> ssl.SSLContext:
        context = usual(*given, **named)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", as_from_3_13)
    copy = tmp_path / "ca.pem"
    copy.write_bytes(certificates.ca.pem.read_bytes())
    return copy


@pytest.mark.parametrize("kit", KITS)
def test_a_certificate_that_python_3_13_alone_refuses_is_told_as_that_and_can_be_pinned(
    kit: type[ProtocolKit], certificates: Certificates, strict: Path
) -> None:
    error = opened(kit, certificates, "without_key_id", "localhost", ca_file=str(strict))
    assert error is not None
    assert error.cause == "not-by-the-rules"
    assert "RFC 5280: Missing Authority Key Identifier." in error.message
    pin = f"localhost=sha256:{certificates.without_key_id.sha256}"
    assert "Python 3.13 and later" in error.hint
    assert error.hint.endswith(f"add this to Trusted hosts (trusted_hosts): {pin}")
    assert opened(kit, certificates, "without_key_id", "localhost", ca_file=str(strict), trusted_hosts=pin) is None


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python 3.13 refuses it")
def test_an_older_python_takes_it(certificates: Certificates) -> None:
    assert opened(SMTPKit, certificates, "without_key_id", "localhost") is None
