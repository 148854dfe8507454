from __future__ import annotations

import pickle
import re
from html import unescape
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import OptionError

# The table of options that the project re-creates: label and trait, in the form's order. Passwords are no traits.
LABELS = [
    ("Connection name", "name"),
    ("Connection protocol", "protocol"),
    ("Server host", "server_host"),
    ("Server port", "server_port"),
    ("Use authentication?", "use_authentication"),
    ("Use XOAuth2?", "use_xoauth2"),
    ("Username", "username"),
    ("Use secure authentication?", "use_secure_authentication"),
    ("Secure authentication type", "secure_authentication_type"),
    ("Check server identity?", "check_server_identity"),
    ("Trusted hosts", "trusted_hosts"),
    ("Use proxy?", "use_proxy"),
    ("Proxy type", "proxy_type"),
    ("Proxy host", "proxy_host"),
    ("Proxy port", "proxy_port"),
    ("Proxy username", "proxy_username"),
]
BEYOND = {"authorization_id", "ca_file", "from_address", "timeout", "allow_plaintext_password"}


def complete(**options: Any) -> MailConnection:
    return MailConnection(**({"name": "ops", "server_host": "mail.example.org"} | options))


def problems(connection: MailConnection) -> list[tuple[str, str, str]]:
    return [(problem.trait, problem.message, problem.hint) for problem in connection.problems()]


def test_every_option_is_there_with_its_label_in_the_forms_order() -> None:
    options = MailConnection.options()
    assert [(option.label, name) for name, option in options.items()][: len(LABELS)] == LABELS
    assert set(options) >= BEYOND
    assert all(option.help and option.section and option.protocols for option in options.values())
    assert not [name for name in options if "secret" in name or name in {"password", "proxy_password"}]


def test_the_defaults_are_safe() -> None:
    fresh = MailConnection()
    assert fresh.protocol == "SMTP"
    assert fresh.security == "TLS"
    assert fresh.check_server_identity
    switches = ("use_authentication", "use_proxy", "use_xoauth2", "allow_plaintext_password")
    assert not [switch for switch in switches if getattr(fresh, switch)]


@pytest.mark.parametrize(
    ("protocol", "plain", "tls", "ssl"),
    [("SMTP", 25, 587, 465), ("IMAP", 143, 143, 993), ("POP3", 110, 110, 995), ("MBOX", None, None, None)],
)
def test_the_usual_port_follows_protocol_and_security(
    protocol: str, plain: int | None, tls: int | None, ssl: int | None
) -> None:
    connection = MailConnection(protocol=protocol)
    assert connection.port == tls
    connection.secure_authentication_type = "TLS1.2"
    assert connection.port == tls
    connection.secure_authentication_type = "SSL"
    assert connection.port == ssl
    connection.use_secure_authentication = False
    assert connection.port == plain
    connection.server_port = 2525
    assert connection.port == 2525


def test_the_proxys_usual_port_follows_its_type() -> None:
    assert [MailConnection(proxy_type=kind).proxy_port_used for kind in ("SOCKS5", "SOCKS4", "HTTP")] == [
        1080,
        1080,
        3128,
    ]
    assert MailConnection(proxy_port=9).proxy_port_used == 9


def test_naming_a_user_or_a_proxy_turns_its_switch_on_unless_it_was_said() -> None:
    for connection in (complete(username="ana", proxy_host="p"), complete().copy(username="ana", proxy_host="p")):
        assert connection.use_authentication
        assert connection.use_proxy
    off = complete(username="ana", use_authentication=False, proxy_host="p", use_proxy="off")
    assert not off.use_authentication
    assert not off.use_proxy
    assert not off.copy(timeout=3).use_authentication
    assert not complete(username="").use_authentication
    later = complete()
    later.update(username="ana")
    assert later.use_authentication


def test_the_order_of_the_arguments_does_not_matter_for_an_mbox_path() -> None:
    assert MailConnection(server_host="/var/mail/ana", protocol="MBOX").server_host == "/var/mail/ana"


PROBLEMS: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    ({}, []),
    ({"server_host": ""}, [("server_host", "Server host: missing; give the host name or address.", "")]),
    (
        {"protocol": "MBOX", "server_host": ""},
        [("server_host", "Server host: missing; give the path of the mailbox file.", "")],
    ),
    (
        {"use_authentication": True},
        [("username", "Username: missing; a login needs a user.", "Name the user, or turn authentication off.")],
    ),
    (
        {"use_xoauth2": True},
        [("use_xoauth2", "Use XOAuth2?: a token is a login, but authentication is off.", "")],
    ),
    (
        {"use_proxy": True},
        [
            (
                "proxy_host",
                "Proxy host: missing; the proxy is on but has no host.",
                "Name the proxy's host, or turn the proxy off.",
            )
        ],
    ),
    ({"username": "ana", "use_xoauth2": True, "proxy_host": "p"}, []),
    ({"protocol": "MBOX", "server_host": "/x", "use_authentication": True, "use_proxy": True}, []),
]


@pytest.mark.parametrize(("options", "expected"), PROBLEMS)
def test_what_is_missing_or_contradicts_is_told_exactly(
    options: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    connection = complete(**options)
    assert problems(connection) == expected
    if expected:
        with pytest.raises(OptionError, match=re.escape(expected[0][1])):
            connection.require_complete()


def test_a_connection_without_a_name_is_incomplete() -> None:
    assert problems(MailConnection(server_host="a"))[0][:2] == ("name", "Connection name: a connection needs a name.")


def test_a_path_is_no_host_when_the_protocol_is_changed_afterwards() -> None:
    connection = complete(protocol="MBOX", server_host="/var/mail/ana")
    connection.protocol = "IMAP"
    assert problems(connection)[0][1] == "Server host: '/var/mail/ana' is not a host name."
    with pytest.raises(OptionError, match="is not a host name"):
        complete(protocol="MBOX", server_host="/var/mail/ana").update(protocol="SMTP")


def test_an_option_applies_when_its_protocol_has_it_and_its_switch_is_on() -> None:
    connection = complete()
    assert connection.applies("server_port")
    assert not connection.applies("username")
    connection.use_authentication = True
    assert connection.applies("username")
    connection.protocol = "MBOX"
    assert not connection.applies("username")
    assert not connection.applies("server_port")
    assert connection.applies("server_host")


def test_the_file_keeps_what_the_protocol_has_and_what_says_something() -> None:
    assert MailConnection(name="box", protocol="MBOX", server_host="/x").as_dict() == {
        "name": "box",
        "protocol": "MBOX",
        "server_host": "/x",
    }
    kept = complete(username="ana").as_dict()
    assert list(kept)[:3] == ["name", "protocol", "server_host"]
    assert kept["use_authentication"] is True
    assert "server_port" not in kept
    assert MailConnection(**kept) == complete(username="ana")


def test_a_copy_is_a_connection_of_its_own_that_was_never_stored() -> None:
    one = complete()
    one.origin, one.unknown = "somewhere", {"note": 1}
    two = one.copy(name="two")
    two.timeout = 1
    two.unknown["more"] = 2
    assert (one.name, one.timeout, one.unknown) == ("ops", 20, {"note": 1})
    assert two.origin is None


# --- variables


def test_variables_are_taken_from_the_environment_at_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL", "mail.example.org")
    connection = MailConnection(
        name="ops", server_host="${MAIL}", server_port="${P}", username="${U}@${MAIL}", ca_file="${HERE}/ca.pem"
    )
    assert connection.port == "${P}"
    monkeypatch.setenv("HERE", "/etc")
    monkeypatch.setenv("P", "2525")
    monkeypatch.setenv("U", "ana")
    opened = connection.resolved()
    assert (opened.server_host, opened.port, opened.username) == ("mail.example.org", 2525, "ana@mail.example.org")
    assert opened.ca_file == "/etc/ca.pem"
    assert connection.server_host == "${MAIL}"


def test_a_variable_that_gives_a_bad_value_is_told_as_the_option() -> None:
    connection = complete(server_port="${P}")
    for value in ("x", "70000"):
        with pytest.raises(OptionError, match=re.escape("Server port: what ${P} stands for cannot be used")) as caught:
            connection.resolved({"P": value})
        assert caught.value.hint == "A port is a whole number from 1 to 65535."
    with pytest.raises(OptionError, match="Server port: the environment has no variable 'P'"):
        connection.resolved({})
    with pytest.raises(OptionError, match="Server host: missing"):
        complete(server_host="${H}").resolved({"H": ""})
    with pytest.raises(OptionError, match=r"Username: what \$\{U\} stands for cannot be used"):
        complete(username="${U}").resolved({"U": "a\r\nb"})


def test_the_variables_of_options_that_do_not_matter_are_not_asked_for() -> None:
    off = complete(username="${U}", use_authentication=False, proxy_host="${P}", use_proxy=False)
    opened = off.resolved({})
    assert not opened.use_authentication
    assert not opened.use_proxy
    mailbox = complete(username="${U}")
    mailbox.protocol, mailbox.server_host = "MBOX", "${HOME}/mail"
    assert mailbox.resolved({"HOME": "/home/ana"}).server_host == "/home/ana/mail"


# --- what a person sees


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"username": "ana", "server_port": 25, "timeout": 3},
        {"username": "ana", "use_authentication": False, "proxy_host": "p", "use_proxy": False},
        {"protocol": "MBOX", "server_host": "/var/mail/it's"},
    ],
)
def test_the_repr_is_the_call_that_makes_the_same_connection(options: dict[str, Any]) -> None:
    connection = complete(**options)
    assert eval(repr(connection)) == connection


def test_the_repr_says_what_differs_from_the_defaults_and_no_unknown_key() -> None:
    connection = complete(username="ana")
    connection.unknown = {"password": "geheim"}
    assert repr(connection) == (
        "MailConnection(name='ops', server_host='mail.example.org', use_authentication=True, username='ana')"
    )
    assert "geheim" not in connection._repr_html_() + str(connection) + str(connection.shown())


def test_the_html_view_escapes_what_was_typed() -> None:
    evil = "<script>alert('1')</script>&\""
    html = complete(name=evil, username=evil, from_address="Ana <ana@example.org>")._repr_html_()
    assert "<script" not in html
    assert "<ana@" not in html
    assert evil in unescape(html)


def test_the_view_shows_what_matters_now_in_words() -> None:
    rows = dict(complete(username="ana", timeout=3).shown())
    assert rows["Server port"] == "587 (the usual one)"
    assert rows["Use authentication?"] == "yes"
    assert rows["Use proxy?"] == "no"
    assert "Proxy host" not in rows
    assert "Server port" not in dict(MailConnection(name="b", protocol="MBOX", server_host="/x").shown())


def test_a_connection_can_be_sent_to_a_worker() -> None:
    connection = complete(username="ana")
    connection.unknown = {"note": 1}
    again = pickle.loads(pickle.dumps(connection))
    assert again == connection
    assert again.unknown == {"note": 1}


def test_connections_are_equal_by_their_options_and_not_hashable() -> None:
    assert complete() == complete()
    assert complete() != complete(timeout=3)
    assert complete() != "ops"
    with pytest.raises(TypeError):
        hash(complete())
