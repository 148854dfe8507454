"""The large mail providers: their servers, and what a person must know before the password is taken.

Facts alone: what the providers publish of their servers, as Thunderbird's database of providers (ISPDB) also has it.
A domain that is not here is looked for by :mod:`~mailconn_jupyter.discovery.discover`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..transport.certificate import Certificate

__all__ = [
    "GRAPH",
    "PROVIDERS",
    "Provider",
    "Server",
    "meant_by",
    "provider_of",
    "providers_shown",
    "takes_any_domain",
]


@dataclass(frozen=True)
class Server:
    """One server; ``local_part``: its username is what stands before the @, not the whole address."""

    host: str
    port: int
    security: str = "SSL"
    local_part: bool = False


#: Microsoft's, and nobody else's.
GRAPH: Final = Server("graph.microsoft.com", 443)


@dataclass(frozen=True)
class Provider:
    """One provider. A domain that begins with a dot means every domain below it.

    ``issuer``: it takes an OAuth 2.0 token of that issuer and no password. ``any_domain``: it also keeps the mail of domains of its
    customers, which only a look at their MX records would tell.
    """

    name: str
    domains: tuple[str, ...]
    smtp: Server
    imap: Server | None = None
    pop3: Server | None = None
    note: str = ""
    issuer: str = ""
    any_domain: bool = False

    def server(self, protocol: str) -> Server | None:
        """The server for SMTP, IMAP, POP3 or GRAPH; None where none is known."""
        graph = GRAPH if self.issuer == "microsoft" else None
        return {"SMTP": self.smtp, "IMAP": self.imap, "POP3": self.pop3, "GRAPH": graph}.get(protocol)


def _ssl(smtp: str, imap: str, pop3: str, *, local_part: bool = False) -> tuple[Server, Server, Server]:
    """The three servers on the ports for TLS from the first byte, which RFC 8314 prefers."""
    return (
        Server(smtp, 465, local_part=local_part),
        Server(imap, 993, local_part=local_part),
        Server(pop3, 995, local_part=local_part),
    )


def _domains(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _app_password(who: str) -> str:
    return f"{who} takes an app password, which is made in the account's security settings, not the account's password."


_TURN_ON = "Access by mail programs must be turned on once in the mailbox's settings on the web."
_CODE = "It takes an authorization code from the mailbox's settings on the web, where access must also be turned on."
_MICROSOFT = (Server("outlook.office365.com", 993), Server("outlook.office365.com", 995))

_OUTLOOK_DOMAINS = """
    hotmail.com live.com msn.com outlook.com windowslive.com livemail.tw
    outlook.at outlook.be outlook.cl outlook.cz outlook.de outlook.dk outlook.es outlook.fr outlook.hu outlook.ie
    outlook.in outlook.it outlook.jp outlook.kr outlook.lv outlook.my outlook.ph outlook.pt outlook.sa outlook.sg
    outlook.sk outlook.co.id outlook.co.il outlook.co.th outlook.com.ar outlook.com.au outlook.com.br outlook.com.gr
    outlook.com.tr outlook.com.vn
    hotmail.be hotmail.ca hotmail.cl hotmail.cz hotmail.de hotmail.dk hotmail.es hotmail.fi hotmail.fr hotmail.gr
    hotmail.hu hotmail.it hotmail.lt hotmail.lv hotmail.my hotmail.nl hotmail.no hotmail.ph hotmail.rs hotmail.se
    hotmail.sg hotmail.sk hotmail.co.id hotmail.co.il hotmail.co.in hotmail.co.jp hotmail.co.kr hotmail.co.th
    hotmail.co.uk hotmail.co.za hotmail.com.ar hotmail.com.au hotmail.com.br hotmail.com.hk hotmail.com.tr
    hotmail.com.tw hotmail.com.vn
    live.at live.be live.ca live.cl live.cn live.de live.dk live.fi live.fr live.hk live.ie live.in live.it live.jp
    live.nl live.no live.ru live.se live.co.jp live.co.kr live.co.uk live.co.za live.com.ar live.com.au live.com.mx
    live.com.my live.com.ph live.com.pt live.com.sg
"""
_POSTEO_ENDINGS = """
    de at be ca ch cl co co.uk com com.br cr cz dk ee es eu fi gl gr hn hr hu ie in is it jp la li lt lu me mx my net
    nl no nz org pe pl pm pt ro se sg si tn uk us
"""

PROVIDERS: Final = (
    Provider(
        "Google",
        _domains("gmail.com googlemail.com"),
        *_ssl("smtp.gmail.com", "imap.gmail.com", "pop.gmail.com"),
        note="Google takes an app password, for which 2-step verification must be on, or a sign-in with OAuth 2.0 "
        "(oauth_issuer google, and the id of an app as oauth_client_id), not the account's password.",
        any_domain=True,
    ),
    Provider(
        "Outlook.com",
        _domains(_OUTLOOK_DOMAINS),
        Server("smtp-mail.outlook.com", 587, "TLS"),
        *_MICROSOFT,
        note="Outlook.com takes an OAuth 2.0 token alone: passwords and app passwords are refused. Give the id of an app as "
        "oauth_client_id, and sign in with %mailconn signin.",
        issuer="microsoft",
    ),
    Provider(
        "Microsoft 365",
        (".onmicrosoft.com",),
        Server("smtp.office365.com", 587, "TLS"),
        *_MICROSOFT,
        note="Microsoft 365 takes an OAuth 2.0 token: give the id of an app as oauth_client_id (your administrator may have "
        "one), and sign in with %mailconn signin. A password is refused for IMAP and POP3; for SMTP it is turned off "
        "by default for existing tenants at the end of December 2026, and an administrator may have turned it off before.",
        issuer="microsoft",
        any_domain=True,
    ),
    Provider(
        "iCloud",
        _domains("icloud.com me.com mac.com"),
        Server("smtp.mail.me.com", 587, "TLS"),
        Server("imap.mail.me.com", 993, local_part=True),
        note=_app_password("Apple"),
    ),
    Provider(
        "Yahoo",
        _domains(
            "yahoo.com yahoo.de yahoo.it yahoo.fr yahoo.es yahoo.se yahoo.co.in yahoo.co.uk yahoo.co.nz yahoo.com.au "
            "yahoo.com.ar yahoo.com.br yahoo.com.mx ymail.com myyahoo.com rocketmail.com"
        ),
        *_ssl("smtp.mail.yahoo.com", "imap.mail.yahoo.com", "pop.mail.yahoo.com"),
        note=_app_password("Yahoo"),
    ),
    Provider(
        "AOL",
        _domains(
            "aol.com aim.com netscape.net aol.de aol.it aol.fr aol.es aol.se aol.co.uk aol.co.nz aol.com.au aol.com.ar "
            "aol.com.br aol.com.mx"
        ),
        *_ssl("smtp.aol.com", "imap.aol.com", "pop.aol.com"),
        note=_app_password("AOL"),
    ),
    Provider(
        "GMX",
        _domains("gmx.net gmx.de gmx.at gmx.ch gmx.eu gmx.biz gmx.org gmx.info mein.gmx mail.gmx email.gmx"),
        *_ssl("mail.gmx.net", "imap.gmx.net", "pop.gmx.net"),
        note=_TURN_ON,
    ),
    Provider(
        "GMX (international)",
        _domains(
            "gmx.com gmx.us gmx.co.uk gmx.es gmx.fr gmx.ca gmx.com.br gmx.hk gmx.ie gmx.ph gmx.pt gmx.se gmx.sg gmx.tw "
            "gmx.com.tr gmx.it gmx.li"
        ),
        *_ssl("mail.gmx.com", "imap.gmx.com", "pop.gmx.com"),
        note=_TURN_ON,
    ),
    Provider("mail.com", ("mail.com",), *_ssl("smtp.mail.com", "imap.mail.com", "pop.mail.com"), note=_TURN_ON),
    Provider("WEB.DE", ("web.de",), *_ssl("smtp.web.de", "imap.web.de", "pop3.web.de", local_part=True), note=_TURN_ON),
    Provider("mail.de", ("mail.de",), *_ssl("smtp.mail.de", "imap.mail.de", "pop.mail.de")),
    Provider(
        "freenet",
        ("freenet.de",),
        Server("mx.freenet.de", 465),
        Server("mx.freenet.de", 993),
        note=_TURN_ON,
    ),
    Provider(
        "Telekom",
        _domains("t-online.de magenta.de"),
        *_ssl("securesmtp.t-online.de", "secureimap.t-online.de", "securepop.t-online.de"),
        note="Telekom takes the e-mail password that is set for mail programs, not the one of the web site.",
    ),
    Provider(
        "Posteo",
        tuple(f"posteo.{ending}" for ending in _POSTEO_ENDINGS.split()),
        *_ssl("posteo.de", "posteo.de", "posteo.de"),
    ),
    Provider(
        "mailbox.org",
        ("mailbox.org",),
        Server("smtp.mailbox.org", 465),
        Server("imap.mailbox.org", 993),
        note="With two-factor login on, mailbox.org takes an application password.",
    ),
    Provider(
        "1&1",
        _domains("online.de onlinehome.de sofortstart.de sofort-start.de sofortsurf.de sofort-surf.de go4more.de"),
        *_ssl("smtp.1und1.de", "imap.1und1.de", "pop.1und1.de"),
    ),
    Provider("IONOS", ("ionos.de",), *_ssl("smtp.ionos.de", "imap.ionos.de", "pop.ionos.de"), any_domain=True),
    Provider("STRATO", ("strato.de",), *_ssl("smtp.strato.de", "imap.strato.de", "pop3.strato.de"), any_domain=True),
    Provider("OVHcloud", (), *_ssl("ssl0.ovh.net", "ssl0.ovh.net", "ssl0.ovh.net"), any_domain=True),
    Provider(
        "Fastmail",
        _domains("fastmail.com fastmail.fm"),
        *_ssl("smtp.fastmail.com", "imap.fastmail.com", "pop.fastmail.com"),
        note=_app_password("Fastmail"),
        any_domain=True,
    ),
    Provider(
        "Zoho",
        _domains("zoho.com zohomail.com"),
        *_ssl("smtp.zoho.com", "imap.zoho.com", "pop.zoho.com"),
        note=f"{_TURN_ON} With two-factor login on, Zoho takes an app password.",
    ),
    Provider(
        "Proton",
        _domains("proton.me protonmail.com protonmail.ch pm.me"),
        Server("127.0.0.1", 1025, "TLS"),
        Server("127.0.0.1", 1143, "TLS"),
        note="Proton Mail Bridge must run on the kernel's machine: it shows its ports and the password, which is not the "
        "account's. Its certificate is its own: the test shows the pin for trusted_hosts.",
    ),
    Provider(
        "Yandex",
        _domains("yandex.ru yandex.com yandex.net yandex.by yandex.kz yandex.ua ya.ru narod.ru"),
        *_ssl("smtp.yandex.com", "imap.yandex.com", "pop.yandex.com"),
        note=f"{_TURN_ON} {_app_password('Yandex')}",
    ),
    Provider(
        "Mail.ru",
        _domains("mail.ru inbox.ru list.ru bk.ru"),
        *_ssl("smtp.mail.ru", "imap.mail.ru", "pop.mail.ru"),
        note=_app_password("Mail.ru"),
    ),
    Provider(
        "Orange",
        _domains("orange.fr wanadoo.fr"),
        *_ssl("smtp.orange.fr", "imap.orange.fr", "pop.orange.fr"),
    ),
    Provider("Free", ("free.fr",), *_ssl("smtp.free.fr", "imap.free.fr", "pop.free.fr", local_part=True)),
    Provider("Naver", ("naver.com",), *_ssl("smtp.naver.com", "imap.naver.com", "pop.naver.com"), note=_TURN_ON),
    Provider("QQ Mail", ("qq.com",), *_ssl("smtp.qq.com", "imap.qq.com", "pop.qq.com"), note=_CODE),
    Provider("NetEase 163", ("163.com",), *_ssl("smtp.163.com", "imap.163.com", "pop.163.com"), note=_CODE),
    Provider("NetEase 126", ("126.com",), *_ssl("smtp.126.com", "imap.126.com", "pop.126.com"), note=_CODE),
)
"""The table."""

_BY_DOMAIN: Final = {domain: provider for provider in PROVIDERS for domain in provider.domains}


def provider_of(domain: str) -> Provider | None:
    """The provider of a domain (in its ASCII form), None for every other.

    >>> provider_of("GMail.com").name, provider_of("acme.onmicrosoft.com").name, provider_of("example.org")
    ('Google', 'Microsoft 365', None)
    """
    name = domain.casefold()
    _, dot, parent = name.partition(".")
    return _BY_DOMAIN.get(name) or _BY_DOMAIN.get(f"{dot}{parent}")


def meant_by(domain: str) -> str:
    """The domain of a known provider that this one may be a slip of; empty where none is near.

    >>> meant_by("gmial.com"), meant_by("example.org")
    ('gmail.com', '')
    """
    return next(iter(difflib.get_close_matches(domain, _BY_DOMAIN, n=1, cutoff=0.87)), "")


def takes_any_domain() -> Iterator[Provider]:
    """The providers that may keep the mail of any domain."""
    return (provider for provider in PROVIDERS if provider.any_domain)


def providers_shown(certificate: Certificate, protocol: str) -> Iterator[tuple[Provider, Server]]:
    """The providers whose server for the protocol the certificate names. A name in a certificate is only a claim."""
    for provider in PROVIDERS:
        server = provider.server(protocol)
        if server is not None and certificate.names_host(server.host):
            yield provider, server
