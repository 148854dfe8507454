from __future__ import annotations

import re

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.discovery.discover import discover
from mailconn_jupyter.discovery.providers import PROVIDERS, Provider, provider_of, takes_any_domain
from tests.support.lookups import lookups

PROTOCOLS = ("SMTP", "IMAP", "POP3")


def proposed(address: str, protocol: str = "SMTP") -> tuple[object, ...]:
    options = discover(address, protocol=protocol).options
    return options["server_host"], options["server_port"], options["secure_authentication_type"], options["username"]


def test_every_domain_stands_once_and_in_the_form_that_is_compared() -> None:
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))
    assert all(re.fullmatch(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)+", domain) for domain in domains)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_each_server_has_tls_at_a_port_for_it_and_each_note_is_a_sentence(provider: Provider) -> None:
    assert provider.domains or provider.any_domain
    for protocol in PROTOCOLS:
        server = provider.server(protocol)
        if server is None:
            continue
        connection = MailConnection(
            name="ops", protocol=protocol, server_host=server.host, secure_authentication_type=server.security
        )
        connection.require_complete()
        # Proton's Bridge runs beside other servers, at ports of its own.
        assert server.port == connection.usual_port or server.host == "127.0.0.1"
    assert provider.note == "" or re.fullmatch(r"[A-Z].*[a-z)]\.", provider.note)


@pytest.mark.parametrize("provider", [p for p in PROVIDERS if p.domains], ids=lambda provider: provider.name)
def test_a_providers_proposal_is_a_whole_connection_with_a_login_and_asks_the_network_nothing(
    provider: Provider,
) -> None:
    address = f"ana@{provider.domains[0].replace('.onmicrosoft', 'acme.onmicrosoft')}"
    with lookups() as heard:
        for protocol in PROTOCOLS:
            settings = discover(address, protocol=protocol)
            assert settings.provider == provider.name
            assert not settings.found
            if provider.server(protocol) is None:
                assert not settings
                assert protocol in settings.note
                continue
            connection = settings.connection("ops")
            connection.require_complete()
            assert connection.protocol == protocol
            assert connection.security in {"SSL", "TLS"}
            assert connection.check_server_identity
            assert connection.trusted_hosts == ""
            assert connection.use_authentication
            assert connection.use_xoauth2 == bool(provider.issuer)
            assert connection.oauth_issuer == provider.issuer
    assert not heard


def test_google_is_known_with_its_app_passwords() -> None:
    assert proposed("ana@gmail.com") == ("smtp.gmail.com", 465, "SSL", "ana@gmail.com")
    assert proposed("Ana <ana@GoogleMail.com>", "IMAP")[:2] == ("imap.gmail.com", 993)
    assert "app password" in discover("ana@gmail.com").note


def test_microsoft_takes_tokens_alone() -> None:
    for address in ("ana@hotmail.co.uk", "ana@acme.onmicrosoft.com"):
        settings = discover(address)
        assert settings.options["use_xoauth2"]
        assert "OAuth 2.0 token" in settings.note
    assert proposed("ana@acme.onmicrosoft.com") == ("smtp.office365.com", 587, "TLS", "ana@acme.onmicrosoft.com")
    assert "end of December 2026" in discover("ana@acme.onmicrosoft.com").note


def test_a_username_is_the_whole_address_or_what_is_before_the_at() -> None:
    assert proposed("ana@icloud.com") == ("smtp.mail.me.com", 587, "TLS", "ana@icloud.com")
    assert proposed("ana@icloud.com", "IMAP") == ("imap.mail.me.com", 993, "SSL", "ana")
    assert proposed("ana@web.de", "POP3") == ("pop3.web.de", 995, "SSL", "ana")


def test_proton_is_reached_through_its_bridge_on_this_machine() -> None:
    assert proposed("ana@proton.me") == ("127.0.0.1", 1025, "TLS", "ana@proton.me")
    note = discover("ana@proton.me").note
    assert "Bridge must run" in note
    assert "pin" in note


@pytest.mark.parametrize(
    "domain", ["notgmail.com", "mail.gmail.com", "gmail.com.example.org", "onmicrosoft.com", "a.b.onmicrosoft.com"]
)
def test_a_domain_that_only_looks_like_a_providers_is_none(domain: str) -> None:
    assert provider_of(domain) is None


def test_the_providers_of_other_peoples_domains_are_named() -> None:
    assert {"Google", "Microsoft 365", "IONOS", "STRATO", "OVHcloud"} <= {found.name for found in takes_any_domain()}
