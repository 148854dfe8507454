"""What the DNS of a company's own domain tells of its mail servers: recorded answers, given by a real little name server."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.discovery.discover import discover
from mailconn_jupyter.discovery.providers import PROVIDERS
from tests.discovery import test_discover
from tests.discovery.test_discover import Names, certificate_for
from tests.servers.certificates import Certificates
from tests.servers.dns_server import NO_SUCH_DOMAIN, SILENT, TROUBLE, resolving
from tests.servers.postfix import Postfix
from tests.servers.script import Expect, ScriptServer, Send, StartTLS
from tests.support.lookups import lookups

names = test_discover.names
trusting = test_discover.trusting


@dataclass(frozen=True)
class Recorded:
    """The MX records that a provider has its customers set, as its help pages print them, and what is to be proposed."""

    mx: tuple[str, ...]
    provider: str
    smtp: str
    port: int = 465


RECORDED = (
    Recorded(("1 smtp.google.com.",), "Google", "smtp.gmail.com"),
    Recorded(("5 alt1.aspmx.l.google.com.", "1 aspmx.l.google.com."), "Google", "smtp.gmail.com"),
    Recorded(("10 aspmx2.googlemail.com.",), "Google", "smtp.gmail.com"),
    Recorded(("0 acme-example.mail.protection.outlook.com.",), "Microsoft 365", "smtp.office365.com", 587),
    Recorded(("0 acme-example.b-v1.mx.microsoft.",), "Microsoft 365", "smtp.office365.com", 587),
    Recorded(("10 mx00.ionos.de.", "10 mx01.ionos.de."), "IONOS", "smtp.ionos.de"),
    Recorded(("10 mx00.kundenserver.de.",), "IONOS", "smtp.ionos.de"),
    Recorded(("5 smtpin.rzone.de.",), "STRATO", "smtp.strato.de"),
    Recorded(("1 mx1.mail.ovh.net.", "5 mx2.mail.ovh.net."), "OVHcloud", "ssl0.ovh.net"),
    Recorded(("10 in1-smtp.messagingengine.com.", "20 in2-smtp.messagingengine.com."), "Fastmail", "smtp.fastmail.com"),
    Recorded(("10 mx.zoho.com.", "20 mx2.zoho.com."), "Zoho for organisations (com)", "smtppro.zoho.com"),
    Recorded(("10 mx.zoho.eu.",), "Zoho for organisations (eu)", "smtppro.zoho.eu"),
    Recorded(("10 mx.zoho.in.",), "Zoho for organisations (in)", "smtppro.zoho.in"),
    Recorded(("10 mail.protonmail.ch.", "20 mailsec.protonmail.ch."), "Proton", "127.0.0.1", 1025),
    Recorded(("10 mx.yandex.net.",), "Yandex", "smtp.yandex.com"),
    Recorded(("10 emx.mail.ru.",), "Mail.ru", "smtp.mail.ru"),
    Recorded(("10 mxext1.mailbox.org.", "20 mxext3.mailbox.org."), "mailbox.org", "smtp.mailbox.org"),
    Recorded(("10 spool.mail.gandi.net.", "50 fb.mail.gandi.net."), "Gandi", "mail.gandi.net"),
    Recorded(("5 mta-gw.infomaniak.ch.",), "Infomaniak", "mail.infomaniak.com"),
    Recorded(("5 mx1.hostinger.com.", "10 mx2.hostinger.com."), "Hostinger", "smtp.hostinger.com"),
    Recorded(("10 mx1.privateemail.com.",), "Namecheap Private Email", "mail.privateemail.com"),
    Recorded(("10 mx1.titan.email.", "20 mx2.titan.email."), "Titan", "smtp.titan.email"),
    Recorded(("10 aspmx1.migadu.com.", "20 aspmx2.migadu.com."), "Migadu", "smtp.migadu.com"),
    Recorded(("10 mx1.emailsrvr.com.", "20 mx2.emailsrvr.com."), "Rackspace Email", "secure.emailsrvr.com"),
    Recorded(("10 mx1.pub.mailpod8-cph3.one.com.",), "one.com", "send.one.com"),
    Recorded(("0 smtp.secureserver.net.", "10 mailstore1.secureserver.net."), "GoDaddy", "smtpout.secureserver.net"),
    Recorded(("0 mx1.dreamhost.com.", "0 mx2.dreamhost.com."), "DreamHost", "smtp.dreamhost.com"),
    Recorded(("10 mail.loopia.se.", "20 mail2.loopia.se."), "Loopia", "mailcluster.loopia.se"),
    Recorded(("50 mailserver.purelymail.com.",), "Purelymail", "smtp.purelymail.com"),
    Recorded(("5 mxbiz1.qq.com.", "10 mxbiz2.qq.com."), "Tencent Exmail", "smtp.exmail.qq.com"),
    Recorded(("5 mx1.qiye.aliyun.com.",), "Alibaba Mail", "smtp.qiye.aliyun.com"),
)


def test_the_mail_of_thirty_domains_at_large_providers_is_found_by_their_mx_records() -> None:
    assert len(RECORDED) >= 30
    assert {name for provider in PROVIDERS if provider.mx for name in [provider.name]} == {r.provider for r in RECORDED}
    records = {f"acme{n}.example": tuple(f"MX {mx}" for mx in each.mx) for n, each in enumerate(RECORDED)}
    with resolving(records) as server, lookups() as heard:
        for number, each in enumerate(RECORDED):
            settings = discover(f"ana@acme{number}.example")
            assert settings.provider == each.provider
            assert (settings.options["server_host"], settings.options["server_port"]) == (each.smtp, each.port)
            assert settings.options["username"] == f"ana@acme{number}.example"
            assert "takes the mail of" in settings.note
            assert f"as {each.provider} publishes them" in settings.summary
            settings.connection("ops").require_complete()
    # One question for each kind of record, and no mail server tried.
    assert set(server.asked.values()) == {1}
    assert not heard


@pytest.mark.parametrize("protocol", ["IMAP", "POP3", "GRAPH"])
def test_a_companys_domain_at_microsoft_is_known_for_every_protocol(protocol: str) -> None:
    with resolving({"acme.example": ("MX 0 acme-example.mail.protection.outlook.com.",)}):
        settings = discover("ana@acme.example", protocol=protocol)
    assert settings.provider == "Microsoft 365"
    assert settings.options["oauth_issuer"] == "microsoft"
    assert settings.options["protocol"] == protocol


@pytest.mark.parametrize(
    "exchange", ["aspmx.l.google.com.evil.example.", "notgoogle.com.", "google.com.", "mx.acme.example.", "."]
)
def test_a_host_that_only_looks_like_a_providers_is_none(exchange: str, names: Names) -> None:
    with resolving({"acme.example": (f"MX 10 {exchange}",)}):
        assert discover("ana@acme.example").provider == ""


def test_a_domain_that_there_is_not_is_not_searched_and_the_one_that_was_meant_is_asked_for(names: Names) -> None:
    with resolving({}):
        settings = discover("ana@gmial.com")
    assert not settings
    assert settings.note == "There is no domain gmial.com."
    assert repr(settings).splitlines()[0] == "Did you mean ana@gmail.com?"
    assert not names.asked


def test_servers_that_a_domain_names_itself_are_tried_first_and_told_where_they_are_elsewhere(
    postfix: Postfix, names: Names, trusting: MailConnection, certificates: Certificates, tmp_path: object
) -> None:
    records = {
        "mail.test": ("MX 10 mx.mail.test.",),
        "_submission._tcp.mail.test": ("SRV 0 1 587 localhost.",),
        "_submissions._tcp.mail.test": ("SRV 10 1 465 late.mail.test.", "SRV 0 1 465 mail.test."),
    }
    names.update({("mail.test", 465): postfix.smtps})
    with resolving(records):
        settings = discover("ana@mail.test", via=trusting)
    assert [probe.host for probe in settings.found][:2] == ["mail.test", "late.mail.test"]
    assert (settings.options["server_host"], settings.options["server_port"]) == ("mail.test", 465)
    assert "keep it only" not in settings.note


def test_a_server_of_another_domain_is_proposed_with_a_word_of_caution(
    names: Names, trusting: MailConnection, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    context = certificate_for("mail.hoster.example", certificates, tmp_path_factory.mktemp("own")).server_context()
    script = [
        StartTLS(context),
        Send(b"220 hi\r\n"),
        test_discover.EHLO,
        Send(b"250-hi\r\n250 AUTH PLAIN\r\n"),
        Expect(rb"(?i)quit"),
        Send(b"221 bye\r\n"),
    ]
    records = {"acme.example": (), "_submissions._tcp.acme.example": ("SRV 0 1 465 mail.hoster.example.",)}
    with ScriptServer(script) as server, resolving(records):
        names["mail.hoster.example", 465] = server.port
        settings = discover("ana@acme.example", via=trusting)
    assert settings.options["server_host"] == "mail.hoster.example"
    assert settings.note.startswith("The DNS of acme.example names mail.hoster.example: keep it only if")


@pytest.mark.parametrize(
    "target",
    ["0 1 6379 redis.acme.example.", "0 1 465 .", "0 1 465 bad_name.acme.example.", "0 1 465 x\\032y.example."],
)
def test_a_record_that_leads_to_another_port_or_to_no_host_is_not_followed(target: str, names: Names) -> None:
    with resolving({"acme.example": (), "_submissions._tcp.acme.example": (f"SRV {target}",)}):
        settings = discover("ana@acme.example")
    assert len(settings.found) == 8
    assert {probe.port for probe in settings.found} == {465, 587}


@pytest.mark.parametrize("said", [SILENT, TROUBLE])
def test_a_name_server_that_does_not_answer_changes_nothing_and_costs_a_few_seconds(said: str, names: Names) -> None:
    started = time.monotonic()
    services = {f"{name}._tcp.acme.example": said for name in ("_submissions", "_submission")}
    with resolving({"acme.example": said, **services}):
        settings = discover("ana@acme.example", deadline=6)
    assert len(settings.found) == 8
    assert time.monotonic() - started < 8


def test_without_dnspython_or_by_a_proxy_the_usual_hosts_are_tried_as_ever(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    with resolving({"acme.example": ("MX 1 smtp.google.com.",)}) as server:
        via = MailConnection(name="office", proxy_host="127.0.0.1", proxy_port=1)
        assert discover("ana@acme.example", via=via, deadline=3).provider == ""
        assert not server.asked
        for module in ("dns", "dns.asyncresolver", "dns.resolver"):
            monkeypatch.setitem(sys.modules, module, None)
        settings = discover("ana@acme.example")
    assert settings.provider == ""
    assert len(settings.found) == 8


def test_a_domain_without_any_of_the_usual_hosts_takes_one_line(names: Names) -> None:
    settings = discover("ana@gmial.com")
    assert repr(settings).splitlines()[:2] == ["Did you mean ana@gmail.com?", "No settings for ana@gmial.com"]
    assert len(settings.found) == 8
    tried = [line for line in repr(settings).splitlines() if "gmial.com, " in line]
    assert len(tried) == 1
    assert tried[0].startswith("smtp.gmial.com, mail.gmial.com, gmial.com, mx.gmial.com ")
    assert settings._repr_html_().count("<tr>") == 2
    assert NO_SUCH_DOMAIN
