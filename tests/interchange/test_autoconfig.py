"""Mozilla's autoconfig."""

from __future__ import annotations

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.interchange.import_draft import InterchangeError
from tests.interchange.examples import AUTOCONFIG

ANA = "ana@example.org"


def test_each_server_is_a_connection_with_the_first_login_that_is_known() -> None:
    found = mailconn.load_connections(AUTOCONFIG, address=ANA)
    assert [each.connection.name for each in found] == ["example.org-imap", "example.org-pop3", "example.org-smtp"]
    imap, pop3, smtp = (each.connection for each in found)
    assert (imap.server_host, imap.port, imap.security) == ("imap.example.org", 993, "SSL")
    assert (imap.use_xoauth2, imap.oauth_issuer, imap.oauth_scope) == (True, "https://idp.example.org", "mail")
    assert (pop3.username, pop3.use_xoauth2) == ("ana", False)
    assert (smtp.username, smtp.from_address, smtp.security) == (ANA, ANA, "TLS")
    assert any("There is also password-cleartext" in note for note in found[0].notes)
    assert any("authURL and tokenURL were left out" in note for note in found[0].notes)


def test_without_the_address_it_is_asked_for_and_nothing_incomplete_is_saved() -> None:
    found = mailconn.load_connections(AUTOCONFIG, "autoconfig")
    assert [each.connection.name for each in found] == ["example.org-pop3", "example.org-smtp"]
    assert "depends on the mail address" in found.problems[0].message
    assert any("--address" in note for note in found[0].notes)
    with pytest.raises(mailconn.OptionError, match="a login needs a user"):
        found.save()
    assert list(mailconn.connections) == []


def config(server: str) -> str:
    return f"<clientConfig><emailProvider id='x'>{server}</emailProvider></clientConfig>"


def server(authentication: str = "", socket: str = "SSL") -> str:
    return config(
        f"<outgoingServer type='smtp'><hostname>a.example.org</hostname><socketType>{socket}</socketType>"
        f"<username>%EMAILADDRESS%</username>{authentication}</outgoingServer>"
    )


def test_a_relay_needs_no_login_and_plain_text_stays_plain_text() -> None:
    [found] = mailconn.load_connections(server("<authentication>none</authentication>", "plain"), address=ANA)
    assert not found.connection.use_authentication
    assert found.connection.security == ""


def test_a_login_that_is_not_known_is_named_and_the_next_is_taken() -> None:
    logins = "<authentication>NTLM</authentication><authentication>password-encrypted</authentication>"
    [found] = mailconn.load_connections(server(logins), address=ANA)
    assert found.connection.sasl_mechanism == "CRAM-MD5"
    assert any(note.startswith("NTLM was left out") for note in found.notes)


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<clientConfig><emailProvider id="&c;"/></clientConfig>"""
FILE = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>
<clientConfig><emailProvider id="&f;"/></clientConfig>"""
DTD = '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><clientConfig/>'
PARAMETER = '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/hostname">%p;]><clientConfig/>'


@pytest.mark.parametrize("text", [BOMB, FILE, DTD, PARAMETER])
def test_a_document_type_is_refused_so_no_entity_grows_or_fetches_anything(text: str) -> None:
    with pytest.raises(
        InterchangeError, match="has a document type declaration, which is not allowed since it can define entities"
    ):
        mailconn.load_connections(text, "autoconfig")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<a>" * 100, "too many elements"),
        ("<clientConfig>" + "<a/>" * 30_000 + "</clientConfig>", "too many elements"),
        ("<clientConfig>", "is not XML"),
        ("<clientConfig>&undefined;</clientConfig>", "is not XML"),
        ("<html/>", "is not an autoconfig"),
        ("<clientConfig/>", "no mail server connection"),
        ('<?xml version="1.0" encoding="utf-7"?><clientConfig/>', "not XML"),
        ('<?xml version="1.0" encoding="shift-jis"?><clientConfig/>', "not XML"),
        ('<?xml version="1.0" encoding="nonsense"?><clientConfig/>', "not XML"),
        (config("<incomingServer type='exchange'/>"), "type is not one of"),
        (config("<incomingServer type='imap'/>"), "socketType is not one of"),
        (server("", "sometimes"), "socketType is not one of"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(text: str, said: str) -> None:
    with pytest.raises(InterchangeError, match=said):
        mailconn.load_connections(text, "autoconfig", address=ANA)
