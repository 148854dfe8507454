"""msmtp's accounts."""

from __future__ import annotations

from pathlib import Path

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.interchange.found import FoundConnection
from mailconn_jupyter.interchange.import_draft import InterchangeError
from mailconn_jupyter.interchange.programs import TARGETS
from mailconn_jupyter.secret import Kind
from tests.interchange.examples import MSMTPRC


def loaded(*lines: str) -> FoundConnection:
    [found] = mailconn.load_connections("\n".join(["account a", "host mail.example.org", *lines]), "msmtp")
    return found


def test_an_account_inherits_and_its_own_lines_come_first() -> None:
    found = {each.connection.name: each for each in mailconn.load_connections(MSMTPRC)}
    assert list(found) == ["ops", "tls465", "token", "pinned"]
    ops, tls465, token, pinned = (each.connection for each in found.values())
    assert (ops.security, ops.port, ops.username) == ("TLS", 587, "ana@example.org")
    assert (tls465.security, tls465.port, tls465.from_address) == ("SSL", 465, "ana@example.org")
    assert ops.password_command == tls465.password_command == "cat /run/secrets/ops"
    assert (token.sasl_mechanism, token.use_xoauth2) == ("OAUTHBEARER", True)
    assert token.password_command == "mytoken ana@example.org"
    assert pinned.trust.pins_of("mail.example.org") == {"aabbccddeeff00112233445566778899" * 2}
    assert pinned.password_command == ""
    assert any(note.startswith("passwordeval was left out: it needs a shell") for note in found["pinned"].notes)
    assert any("%mailconn default ops" in note for note in found["ops"].notes)
    assert any("logfile was left out" in note for note in found["ops"].notes)
    assert any(
        "This program runs each time a session opens: cat /run/secrets/ops" in note for note in found["ops"].notes
    )


def test_what_an_account_has_from_the_defaults_is_not_inherited() -> None:
    text = "defaults\ntls on\naccount a\nhost a.example.org\ndefaults\ntls off\naccount b : a\nport 2525"
    a, b = (each.connection for each in mailconn.load_connections(text, "msmtp"))
    assert (a.security, b.security, b.server_host, b.port) == ("TLS", "", "a.example.org", 2525)


def test_an_account_may_inherit_from_several() -> None:
    text = "account a\nhost a.example.org\ntls on\naccount b\nport 2525\naccount c : a, b\nuser ana\nauth plain"
    c = mailconn.load_connections(text)[2].connection
    assert (c.server_host, c.port, c.sasl_mechanism) == ("a.example.org", 2525, "PLAIN")


def test_a_password_is_found_and_shown_nowhere() -> None:
    found = loaded("tls on", "auth on", "user ana", 'password "s3cret # and so on"')
    assert found.secrets[Kind.PASSWORD].reveal() == "s3cret # and so on"
    assert "s3cret" not in repr(found) + found._repr_html_() + repr(found.notes)


def test_no_check_of_the_certificate_is_refused_with_the_offer_of_a_pin() -> None:
    with pytest.raises(InterchangeError, match="tls_certcheck off accepts any certificate") as caught:
        loaded("tls on", "tls_certcheck off")
    assert "host=sha256:HEX" in caught.value.hint
    # Without TLS there is nothing to check.
    assert loaded("tls off", "tls_certcheck off").connection.security == ""


def test_a_refused_account_does_not_keep_the_others_out() -> None:
    text = "account a\nhost a.example.org\ntls on\ntls_certcheck off\naccount b\nhost b.example.org\ntls on"
    found = mailconn.load_connections(text, "msmtp")
    assert [each.connection.name for each in found] == ["b"]
    assert found.problems[0].message.startswith("a: tls_certcheck off")


@pytest.mark.parametrize(
    ("command", "mapped"),
    [
        ("gpg2 -q --no-tty -d ~/.msmtp.gpg", f"gpg2 -q --no-tty -d {Path('~/.msmtp.gpg').expanduser()}"),
        ('secret-tool lookup host "mail.example.org"', "secret-tool lookup host mail.example.org"),
        ("pass show 'my mail'", "pass show 'my mail'"),
        ("pass show mail | head -1", ""),
        ("cat $HOME/x", ""),
        ("echo `date`", ""),
        ('sh -c "echo $(date)"', ""),
        ("TOKEN=x mytoken", ""),
        ("cat <x", ""),
        ("cat 'x", ""),
        ("mytoken &", ""),
        ("mytoken; true", ""),
        ("cat x*", ""),
    ],
)
def test_a_password_command_is_one_program_with_its_arguments_or_left_out(command: str, mapped: str) -> None:
    found = loaded("tls on", "auth on", "user ana", f"passwordeval {command}")
    assert found.connection.password_command == mapped
    assert any("needs a shell" in note for note in found.notes) == (not mapped)


def test_authorities_proxies_names_and_times_are_ours() -> None:
    connection = loaded(
        "tls on",
        "tls_trust_file /etc/ssl/mail.pem",
        "proxy_host 127.0.0.1",
        "proxy_port 9050",
        "domain me.example.org",
        "timeout 30",
        "tls_cert_file /etc/c.pem",
        "tls_key_file /etc/k.pem",
    ).connection
    assert (connection.ca_file, connection.client_certificate) == ("/etc/ssl/mail.pem", "/etc/c.pem")
    assert (connection.proxy_type, connection.proxy_host, connection.proxy_port) == ("SOCKS5", "127.0.0.1", 9050)
    assert (connection.helo_name, connection.timeout, connection.client_key) == ("me.example.org", 30, "/etc/k.pem")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tls on\n", "no account"),
        ("account a : b\n", "not defined before it"),
        ("account a\naccount a\n", "twice"),
        ("account\n", "needs a name"),
        ("account a\nhost x.org\nprotocol lmtp", "'lmtp'"),
        ("account a\nhost x.org\ntls maybe", "neither on nor off"),
        ("account a\nhost x.org\nport no", "is not a port"),
        ("account a\nhost x.org\nsocket /run/x", "local socket"),
        ("account a\neval echo host x.org\n", "not done here"),
        ("account a\nhost x.org\ntls on\ntls_fingerprint " + "z" * 64, "not a pin"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(text: str, said: str) -> None:
    with pytest.raises(InterchangeError, match=said):
        mailconn.load_connections(text, "msmtp")


def test_a_pin_of_an_older_kind_is_left_out_and_told() -> None:
    found = loaded("tls on", "tls_fingerprint 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF")
    assert found.connection.trusted_hosts == ""
    assert any(note.startswith("tls_fingerprint was left out") for note in found.notes)


@pytest.mark.parametrize(
    ("command", "password"),
    [
        ("echo correct-horse", "correct-horse"),
        ("/bin/echo -n 'correct horse'", "correct horse"),
        ("printf correct-horse", "correct-horse"),
        ("printf 'correct\\n'", ""),
        ("echo correct-horse | rot13", ""),
    ],
)
def test_a_command_that_prints_the_password_itself_is_the_password_and_goes_into_no_file(
    command: str, password: str, own_config: Path
) -> None:
    found = loaded("tls on", "auth on", "user ana", f"passwordeval {command}")
    assert found.connection.password_command == ""
    assert ("" if not found.secrets else found.secrets[Kind.PASSWORD].reveal()) == password
    assert "correct" not in repr(found)
    found.save()
    assert not [path for path in own_config.parent.rglob("*") if path.is_file() and b"correct" in path.read_bytes()]


def test_such_a_command_is_in_no_export() -> None:
    connection = MailConnection(name="ops", server_host="mail.example.org", username="ana")
    connection.password_command = "echo correct-horse"
    for to in TARGETS:
        exported = mailconn.export_connection(connection, to)
        assert "correct" not in exported + repr(exported.notes)
        assert "Not exported: password_command." in exported.notes
