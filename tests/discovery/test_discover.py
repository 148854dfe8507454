from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

import mailconn_jupyter
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.discovery.discover import discover
from mailconn_jupyter.discovery.probe import Probe
from mailconn_jupyter.discovery.proposal import Settings
from mailconn_jupyter.errors import MailConnError, MessageError, OptionError
from mailconn_jupyter.session.check import check
from tests.servers.certificates import Certificate, Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.proxies import Proxy
from tests.servers.script import Close, Dribble, Expect, ScriptServer, Send, Silence, StartTLS, Step
from tests.support.isolation import give_password
from tests.support.lookups import lookups

# The domain itself is among the hosts that are tried, and the good certificate names it.
DOMAIN = "mail.test"
LOCAL_PART = "very.secret-name"
ADDRESS = f"{LOCAL_PART}@{DOMAIN}"
EHLO = Expect(rb"(?i)ehlo \[127\.0\.0\.1\]")


class Names(dict[tuple[str, int], int]):
    """Which port of this machine stands for a host and a port; every other name is unknown."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The only part that cannot be had here: DNS."""
    known = Names()
    asked = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        known.asked.add(host)
        if (host, port) in known:
            return asked("127.0.0.1", known[host, port], *args, **kwargs)
        if host in {"127.0.0.1", "localhost"}:
            return asked(host, port, *args, **kwargs)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.fixture
def trusting(certificates: Certificates) -> MailConnection:
    """Who lends the authority of the tests' certificates."""
    return MailConnection(ca_file=str(certificates.ca.pem))


def certificate_for(name: str, certificates: Certificates, folder: Path) -> Certificate:
    """Another certificate of the tests' authority."""
    authority = trustme.CA.from_pem(certificates.ca.pem.read_bytes(), certificates.ca.key.read_bytes())
    issued = authority.issue_cert(name)
    pem, key = folder / "chain.pem", folder / "key.pem"
    pem.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return Certificate(pem, key, b"")


def answers(settings: Settings) -> dict[tuple[str, int], Probe]:
    return {(probe.host, probe.port): probe for probe in settings.found}


def implicit(context: Any) -> list[Step]:
    """A submission server with TLS from the first byte, which hears no more than it must."""
    return [
        StartTLS(context),
        Send(b"220 hi\r\n"),
        EHLO,
        Send(b"250-hi\r\n250 AUTH PLAIN\r\n"),
        Expect(rb"(?i)quit"),
        Send(b"221 bye\r\n"),
    ]


def with_starttls(context: Any) -> list[Step]:
    """The same with STARTTLS."""
    begin: list[Step] = [Send(b"220 hi\r\n"), EHLO, Send(b"250-hi\r\n250 STARTTLS\r\n"), Expect(rb"STARTTLS")]
    _, _, *rest = implicit(context)
    return [*begin, Send(b"220 go\r\n"), StartTLS(context), *rest]


# What is proposed


def test_real_servers_are_found_and_tls_from_the_first_byte_is_preferred(
    postfix: Postfix, names: Names, trusting: MailConnection
) -> None:
    names.update({(DOMAIN, 465): postfix.smtps, (DOMAIN, 587): postfix.submission})
    settings = discover(ADDRESS, via=trusting)
    assert settings
    assert settings.provider == ""
    assert {name: value for name, value in settings.options.items() if name != "ca_file"} == {
        "protocol": "SMTP",
        "server_host": DOMAIN,
        "server_port": 465,
        "use_authentication": True,
        "use_xoauth2": False,
        "username": ADDRESS,
        "use_secure_authentication": True,
        "secure_authentication_type": "SSL",
        "check_server_identity": True,
        "from_address": ADDRESS,
    }
    assert "guess" in settings.note
    found = answers(settings)
    assert found[DOMAIN, 465].ok
    assert found[DOMAIN, 587].ok
    assert "SCRAM-SHA-256" in found[DOMAIN, 465].mechanisms
    assert found["smtp.mail.test", 465].cause == "host-unknown"
    assert len(found) == 8


def test_what_is_proposed_replaces_a_drafts_options_and_works_with_a_password(
    postfix: Postfix, names: Names, trusting: MailConnection
) -> None:
    names[DOMAIN, 587] = postfix.submission
    settings = discover(f"alice@{DOMAIN}", via=trusting)
    draft = MailConnection(
        name="ops", server_host="old.example.org", server_port=25, use_secure_authentication=False, username="bob"
    )
    draft.update(**settings.options)
    assert draft == settings.connection("ops")
    assert (draft.security, draft.port) == ("TLS", 587)
    draft.username = "alice"  # the tests' users have no domain
    give_password("ops", "s3cret")
    report = check(draft)
    assert report.ok, str(report)


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
def test_mailboxes_are_found_likewise(protocol: str, dovecot: Dovecot, names: Names, trusting: MailConnection) -> None:
    ports = {"IMAP": (993, dovecot.imaps, 143, dovecot.imap), "POP3": (995, dovecot.pop3s, 110, dovecot.pop3)}
    ssl_port, ssl_server, tls_port, tls_server = ports[protocol]
    names[DOMAIN, tls_port] = tls_server
    settings = discover(ADDRESS, protocol=protocol, via=trusting)
    assert settings, str(settings)
    assert (settings.options["server_port"], settings.options["secure_authentication_type"]) == (tls_port, "TLS")
    names[DOMAIN, ssl_port] = ssl_server
    settings = discover(ADDRESS, protocol=protocol, via=trusting)
    assert settings.connection("ops").protocol == protocol
    assert (settings.options["server_port"], settings.options["secure_authentication_type"]) == (ssl_port, "SSL")
    assert "from_address" not in settings.options
    assert answers(settings)[DOMAIN, tls_port].ok


def test_a_server_without_a_login_is_proposed_only_where_no_other_is(
    postfix: Postfix, names: Names, trusting: MailConnection
) -> None:
    names[DOMAIN, 587] = postfix.plain
    settings = discover(ADDRESS, via=trusting)
    assert settings.options["server_port"] == 587
    assert not settings.connection("ops").use_authentication
    assert "username" not in settings.options
    assert "no login" in settings.note


def test_a_server_with_a_login_is_proposed_before_one_without(
    postfix: Postfix, certificates: Certificates, names: Names, trusting: MailConnection
) -> None:
    script = [
        StartTLS(certificates.good.server_context()),
        Send(b"220 hi\r\n"),
        EHLO,
        Send(b"250 hi\r\n"),
        Expect(rb"(?i)quit"),
        Send(b"221 bye\r\n"),
    ]
    with ScriptServer(script) as server:
        names.update({(DOMAIN, 465): server.port, (DOMAIN, 587): postfix.submission})
        settings = discover(ADDRESS, via=trusting)
    assert answers(settings)[DOMAIN, 465].ok
    assert settings.options["server_port"] == 587


def test_a_server_that_takes_tokens_alone_is_proposed_with_them(
    postfix: Postfix, names: Names, trusting: MailConnection
) -> None:
    names[DOMAIN, 465] = postfix.only["XOAUTH2"]
    settings = discover(ADDRESS, via=trusting)
    assert settings.options["use_xoauth2"]
    assert "OAuth 2.0 token" in settings.note


def test_an_international_domain_is_looked_for_by_its_ascii_name(names: Names) -> None:
    settings = discover("ana@bücher.example")
    assert names.asked == {f"{prefix}xn--bcher-kva.example" for prefix in ("smtp.", "mail.", "", "mx.")}
    assert settings.address == "ana@xn--bcher-kva.example"


# What is not proposed


def test_an_unknown_authority_is_told_with_its_pin_and_not_proposed(
    postfix: Postfix, certificates: Certificates, names: Names
) -> None:
    names[DOMAIN, 465] = postfix.smtps
    settings = discover(ADDRESS)
    assert not settings
    probe = answers(settings)[DOMAIN, 465]
    assert (probe.ok, probe.cause) == (False, "unknown-authority")
    assert probe.pin == f"{DOMAIN}=sha256:{certificates.good.sha256}"
    assert probe.pin in settings.note
    with pytest.raises(MailConnError, match="sha256"):
        settings.connection("ops")


def test_a_good_server_is_proposed_before_one_with_an_unknown_authority(
    postfix: Postfix, certificates: Certificates, names: Names, trusting: MailConnection
) -> None:
    context = certificates.self_signed.server_context
    refused = [StartTLS(context(), refused=True)]
    with ScriptServer(refused, [StartTLS(context()), Silence()], strict=False) as server:
        names.update({(DOMAIN, 465): server.port, (DOMAIN, 587): postfix.submission})
        settings = discover(ADDRESS, via=trusting)
    assert settings.options["server_port"] == 587
    assert answers(settings)[DOMAIN, 465].pin == f"{DOMAIN}=sha256:{certificates.self_signed.sha256}"
    assert not server.lines


def test_plain_text_is_not_proposed(postfix: Postfix, names: Names, trusting: MailConnection) -> None:
    names.update({(DOMAIN, 587): postfix.plain_auth, ("smtp.mail.test", 587): postfix.relay})
    settings = discover(ADDRESS, via=trusting)
    assert not settings
    assert answers(settings)[DOMAIN, 587].cause == "no-starttls"
    assert "Microsoft 365 smtp.office365.com" in settings.note


def test_a_certificate_for_a_providers_server_is_told_and_not_followed(
    certificates: Certificates, names: Names, trusting: MailConnection, tmp_path: Path
) -> None:
    context = certificate_for("smtp.strato.de", certificates, tmp_path).server_context
    scripts: list[list[Step]] = [[StartTLS(context(), refused=True)], [StartTLS(context()), Silence()]]
    with ScriptServer(*scripts, strict=False) as server:
        names["smtp.mail.test", 465] = server.port
        settings = discover(ADDRESS, via=trusting)
    assert not settings
    assert answers(settings)["smtp.mail.test", 465].cause == "name-mismatch"
    assert "a server of STRATO, called smtp.strato.de" in settings.note
    assert not server.lines
    assert "smtp.strato.de" not in names.asked


# What travels


def test_nothing_is_sent_but_greeting_tls_and_farewell_and_nothing_of_the_person(
    certificates: Certificates, names: Names, trusting: MailConnection
) -> None:
    context = certificates.good.server_context()
    with ScriptServer(implicit(context)) as ssl_server, ScriptServer(with_starttls(context)) as tls_server:
        names.update({(DOMAIN, 465): ssl_server.port, (DOMAIN, 587): tls_server.port})
        settings = discover(f'"Ana" <{ADDRESS}>', via=trusting)
        probes = answers(settings)
        assert probes[DOMAIN, 465].ok
        assert probes[DOMAIN, 587].ok
    said = [*ssl_server.lines, *tls_server.lines]
    assert {line.split()[0].upper() for line in said} == {b"EHLO", b"STARTTLS", b"QUIT"}
    for form in (LOCAL_PART.encode(), base64.b64encode(LOCAL_PART.encode())[:-2]):
        assert not any(form.lower() in line.lower() for line in said)
    assert names.asked
    assert not any(LOCAL_PART in name for name in names.asked)


def test_a_stored_password_is_not_used(certificates: Certificates, names: Names) -> None:
    give_password(DOMAIN, "s3cret")
    give_password("ops", "s3cret")
    via = MailConnection(name="ops", ca_file=str(certificates.ca.pem), username="alice")
    with ScriptServer(implicit(certificates.good.server_context())) as server:
        names[DOMAIN, 465] = server.port
        assert discover(ADDRESS, via=via)
    assert not any(b"AUTH" in line.upper() for line in server.lines)


def test_through_a_proxy_no_name_is_looked_up_here_and_the_proposal_has_the_proxy(
    microsocks_open: Proxy, postfix: Postfix, names: Names, certificates: Certificates
) -> None:
    via = MailConnection(
        ca_file=str(certificates.ca.pem), proxy_host=microsocks_open.host, proxy_port=microsocks_open.port
    )
    settings = discover(ADDRESS, via=via)
    # This proxy knows no host of that name.
    assert {probe.cause for probe in settings.found} <= {"target-unreachable", "proxy-rules", "proxy-hung-up"}
    assert names.asked == {microsocks_open.host}
    known = discover("ana@gmail.com", via=via).connection("ops")
    assert (known.use_proxy, known.proxy_host, known.proxy_port) == (True, via.proxy_host, via.proxy_port)


# Time


def test_a_silent_server_that_would_be_preferred_holds_nobody_for_longer_than_the_deadline(
    postfix: Postfix, names: Names, trusting: MailConnection
) -> None:
    with ScriptServer([Silence()], [Dribble(b"220 " + b"x" * 900, interval=0.02)], strict=False) as server:
        names.update({("smtp.mail.test", 465): server.port, (DOMAIN, 587): postfix.submission})
        started = time.monotonic()
        settings = discover(ADDRESS, via=trusting, deadline=1.5)
        elapsed = time.monotonic() - started
    assert settings.options["server_port"] == 587
    assert answers(settings)["smtp.mail.test", 465].cause in {"no-answer", "tls-silent"}
    assert elapsed < 8


def test_once_the_best_answer_is_certain_the_silent_are_not_waited_for(
    postfix: Postfix, names: Names, trusting: MailConnection
) -> None:
    with ScriptServer([Silence()], strict=False) as server:
        names.update({(DOMAIN, 465): postfix.smtps, ("mx.mail.test", 587): server.port})
        started = time.monotonic()
        settings = discover(ADDRESS, via=trusting, deadline=30)
        elapsed = time.monotonic() - started
    assert settings.options["server_port"] == 465
    assert answers(settings)["mx.mail.test", 587].cause == "not-awaited"
    assert elapsed < 10


def test_a_search_can_be_cancelled_at_once(names: Names) -> None:
    cancel = threading.Event()
    with ScriptServer([Silence()], strict=False) as server:
        names[DOMAIN, 465] = server.port
        threading.Timer(0.2, cancel.set).start()
        started = time.monotonic()
        settings = discover(ADDRESS, cancel=cancel, deadline=30)
        elapsed = time.monotonic() - started
    assert not settings
    assert "cancelled" in settings.note
    assert answers(settings)[DOMAIN, 465].cause == "cancelled"
    assert elapsed < 5


def test_the_listener_hears_of_each_server_once_in_the_calling_thread(names: Names) -> None:
    heard: list[tuple[Probe, threading.Thread]] = []
    with ScriptServer([Silence()], strict=False) as server:
        names[DOMAIN, 465] = server.port
        settings = discover(
            ADDRESS, deadline=0.5, listener=lambda probe: heard.append((probe, threading.current_thread()))
        )
    assert {thread for _, thread in heard} == {threading.current_thread()}
    assert sorted(map(str, settings.found)) == sorted(str(probe) for probe, _ in heard)


def test_no_thread_is_left_behind_by_a_search_that_was_cancelled(names: Names) -> None:
    cancel = threading.Event()
    with ScriptServer([Silence()], strict=False) as server:
        names[DOMAIN, 465] = server.port
        threading.Timer(0.2, cancel.set).start()
        discover(ADDRESS, cancel=cancel, deadline=30)
        deadline = time.monotonic() + 3
        while any(thread.name == "mailconn-probe" for thread in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.02)


# Faults


@pytest.mark.parametrize(
    "fault",
    [
        [Send(b"554 go away\r\n"), Silence()],
        [Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close()],
        [Send(b"220 hi\r\n"), EHLO, Send(b"250-hi\r\n250 STARTTLS\r\n"), Expect(rb"STARTTLS"), Close(reset=True)],
        [Send(b"220 hi\r\n"), EHLO, Send(b"250-hi\r\n250 STARTTLS\r\n"), Expect(rb"STARTTLS"), Send(b"454 no\r\n")],
        [Close()],
    ],
    ids=["refuses", "speaks HTTP", "breaks off", "refuses TLS", "hangs up"],
)
def test_a_server_that_misbehaves_is_told_of_and_not_proposed(fault: list[Step], names: Names) -> None:
    with ScriptServer(fault, strict=False) as server:
        names[DOMAIN, 587] = server.port
        settings = discover(ADDRESS, deadline=5)
    probe = answers(settings)[DOMAIN, 587]
    assert not settings
    assert probe.cause
    assert probe.message.endswith((".", "away", "no", "request"))
    assert "failed." not in probe.message


def test_what_a_server_says_is_escaped(names: Names) -> None:
    with ScriptServer([Send(b"554 <img src=x onerror=alert(1)>\r\n"), Silence()], strict=False) as server:
        names[DOMAIN, 587] = server.port
        settings = discover(ADDRESS, deadline=5)
    assert "onerror" in repr(settings)
    assert "<img" not in settings._repr_html_()


@pytest.mark.parametrize(
    "address", ["", "ana", "ana@", "@example.org", "ana@example.org, bo@example.org", "ana@exa mple.org", "a@b\r\nc"]
)
def test_what_is_no_address_is_an_error_before_anything_is_looked_up(address: str) -> None:
    with lookups() as heard, pytest.raises(MessageError):
        discover(address)
    assert not heard


@pytest.mark.parametrize(
    "address",
    ["ana@localhost", "ana@mail.localhost", "ana@intranet", "ana@[192.0.2.7]", "ana@192.0.2.7", "ana@[IPv6:::1]"],
)
def test_a_private_address_is_an_error_that_says_what_to_do(address: str) -> None:
    with lookups() as heard, pytest.raises(OptionError, match="nothing to look up") as caught:
        discover(address)
    assert "server host" in caught.value.hint
    assert not heard


@pytest.mark.parametrize(
    "call",
    [
        lambda: discover("ana@example.org", protocol="MBOX"),
        lambda: discover("ana@example.org", protocol="LMTP"),
        lambda: discover("ana@example.org", deadline=0),
    ],
)
def test_a_protocol_without_servers_and_a_bad_deadline_are_errors_of_the_option(call: Callable[[], Settings]) -> None:
    with pytest.raises(OptionError):
        call()


def test_a_domain_of_the_greatest_length_is_looked_for_as_far_as_hosts_may_be_long(names: Names) -> None:
    label = "a" * 61
    settings = discover(f"a@{label}.{label}.{label}.{label}.xy")
    assert [len(probe.host) for probe in settings.found] == [250, 253, 250, 253]


def test_it_is_one_of_the_packages_names() -> None:
    assert mailconn_jupyter.discover is discover
