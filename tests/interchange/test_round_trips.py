"""What goes out comes back: equal where the other program has a word for all of it, and never weaker."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.connection.mechanisms import ROWS, named
from mailconn_jupyter.errors import OptionError
from mailconn_jupyter.interchange.import_draft import InterchangeError
from mailconn_jupyter.interchange.programs import TARGETS, Target
from tests.interchange.examples import AIRFLOW, AUTOCONFIG, MSMTPRC, OPS
from tests.support.isolation import give_password

TEXTS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp", "Zs")), min_size=1, max_size=30)
HOSTS = st.sampled_from(["mail.example.org", "192.0.2.7", "2001:db8::7", "bücher.example", "${MAIL_HOST}", "LocalHost"])
PORTS = st.none() | st.integers(1, 65535) | st.just("${PORT}")
FILES = st.sampled_from(["", "/etc/ssl/mail.pem", "/srv/mail files/ca.pem"])
PASSWORD_MECHANISMS = st.sampled_from(["", *named("a password")])


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.just("") | strategy


def logins(mechanisms: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    by_password = st.fixed_dictionaries(
        {"use_authentication": st.just(True), "username": TEXTS, "sasl_mechanism": mechanisms}
    )
    return by_password | st.just({"use_authentication": False})


def links(*kinds: str) -> st.SearchStrategy[dict[str, Any]]:
    secured = st.fixed_dictionaries({"secure_authentication_type": st.sampled_from([kind for kind in kinds if kind])})
    return secured | st.just({"use_secure_authentication": False}) if "" in kinds else secured


def made(*parts: st.SearchStrategy[dict[str, Any]], **options: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Connections of the options; what no connection can have was left out."""

    def make(drawn: tuple[dict[str, Any], ...]) -> MailConnection | None:
        try:
            connection = MailConnection(**{name: value for part in drawn for name, value in part.items()})
            connection.require_complete()
        except OptionError:
            return None
        return connection

    common: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {"server_host": HOSTS, "server_port": PORTS} | options
    )
    return st.tuples(common, *parts).map(make).filter(lambda connection: connection is not None)


HOP = st.one_of(
    made(
        links("SSL", "TLS", "TLS1.2", ""),
        logins(st.just("")),
        name=TEXTS,
        protocol=st.just("SMTP"),
        authorization_id=optional(TEXTS),
        check_server_identity=st.booleans(),
        trusted_hosts=optional(st.just("a.example.org b.example.org")),
        use_xoauth2=st.just(False),
    ),
    made(
        links("SSL", ""),
        st.fixed_dictionaries({"use_authentication": st.just(True), "username": TEXTS, "use_xoauth2": st.booleans()}),
        name=TEXTS,
        protocol=st.sampled_from(["IMAP", "POP3"]),
    ),
    made(name=TEXTS, protocol=st.just("MBOX"), server_port=st.none(), server_host=st.just("/var/mail/ana b")),
)
URL = made(
    links("SSL", "TLS"),
    logins(PASSWORD_MECHANISMS),
    name=TEXTS,
    protocol=st.sampled_from(["SMTP", "IMAP", "POP3"]),
)
MSMTP = made(
    links("SSL", "TLS", ""),
    logins(st.sampled_from(["", *(row.name for row in ROWS if row.takes == "a password")])),
    st.just({}) | st.fixed_dictionaries({"proxy_host": st.just("gate"), "proxy_port": st.integers(1, 65535)}),
    name=st.from_regex(r"[\w.@-]{1,20}", fullmatch=True).filter(lambda name: name != "default"),
    ca_file=FILES,
    client_certificate=FILES,
    client_key=st.sampled_from(["", "/srv/mail files/key.pem"]),
    from_address=optional(st.just("Ana <ana@example.org>")),
    helo_name=optional(st.just("me.example.org")),
    timeout=st.sampled_from([20.0, 30.0, 3600.0]),
    password_command=st.sampled_from(["", "cat /run/secrets/ops", "pass show 'my mail'", "gpg -d '/a b/c'"]),
)
AIRFLOW_ONES = st.one_of(
    made(
        links("SSL", "TLS", ""),
        logins(st.just("")),
        name=st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True),
        from_address=optional(TEXTS),
        timeout=st.floats(0.1, 3600),
    ),
    made(
        links("SSL", ""),
        logins(st.just("")),
        name=st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True),
        protocol=st.just("IMAP"),
    ),
)
ANY = made(
    links("SSL", "TLS", "TLS1.2", ""),
    logins(st.sampled_from(["", *(row.name for row in ROWS)])),
    st.just({})
    | st.fixed_dictionaries({"proxy_host": st.just("gate"), "proxy_type": st.sampled_from(["HTTP", "SOCKS5"])}),
    name=TEXTS,
    protocol=st.sampled_from(["SMTP", "IMAP", "POP3", "GRAPH"]),
    use_xoauth2=st.booleans(),
    oauth_issuer=optional(st.just("microsoft")),
    client_certificate=FILES,
    check_server_identity=st.booleans(),
    allow_plaintext_password=st.booleans(),
    trusted_hosts=st.sampled_from(["", "*", "a.example.org", f"mail.example.org=sha256:{'ab' * 32}"]),
    password_command=optional(TEXTS),
    from_address=optional(TEXTS),
)


def there_and_back(connection: MailConnection, to: Target) -> tuple[MailConnection, tuple[str, ...]]:
    exported = mailconn.export_connection(connection, to)
    [found] = mailconn.load_connections(exported.encode(), to, name=connection.name if to == "url" else "")
    return found.connection, exported.notes


def check(connection: MailConnection, to: Target) -> None:
    back, notes = there_and_back(connection, to)
    assert back == connection
    assert not [note for note in notes if note.startswith("Not exported")]


@given(HOP)
def test_a_connection_goes_to_hop_and_back(connection: MailConnection) -> None:
    check(connection, "hop")


@given(URL)
def test_a_connection_goes_into_a_url_and_back(connection: MailConnection) -> None:
    check(connection, "url")


@given(MSMTP)
def test_a_connection_goes_to_msmtp_and_back(connection: MailConnection) -> None:
    check(connection, "msmtp")


@given(AIRFLOW_ONES)
def test_a_connection_goes_to_airflow_and_back(connection: MailConnection) -> None:
    check(connection, "airflow")


@settings(max_examples=300)
@given(ANY, st.sampled_from(TARGETS))
def test_what_does_not_go_along_is_named_and_nothing_comes_back_weaker(connection: MailConnection, to: Target) -> None:
    try:
        back, notes = there_and_back(connection, to)
    except InterchangeError:
        return
    assert back.security or not connection.security
    assert back.check_server_identity or not connection.check_server_identity
    assert not back.trusts_everything
    assert not back.allow_plaintext_password
    # A fingerprint is the same in capitals.
    assert set(back.trusted_hosts.lower().split()) <= set(connection.trusted_hosts.split())
    [lost] = [note for note in notes if note.startswith("Not exported")] or [""]
    named_ones = set(lost.removeprefix("Not exported: ").rstrip(".").split(", "))
    before, after = connection.as_dict(), back.as_dict()
    differing = {name for name in before | after if before.get(name) != after.get(name)} - {"server_port"}
    assert differing <= named_ones


@pytest.mark.parametrize("to", TARGETS)
def test_no_export_holds_the_secret_and_where_one_is_needed_that_is_said(to: Target) -> None:
    connection = mailconn.MailConnection(name="ops", server_host="mail.example.org", username="ana")
    mailconn.connections.save(connection)
    give_password("ops", "correct-horse")
    exported = mailconn.export_connection("ops", to)
    assert "correct-horse" not in exported + repr(exported.notes) + exported._repr_html_()
    assert any("It contains no secret" in note for note in exported.notes)


def test_a_real_file_of_hops_is_the_same_after_a_round_trip_but_for_the_password() -> None:
    before = json.loads(OPS.read_text(encoding="utf-8"))
    [found] = mailconn.load_connections(OPS)
    assert json.loads(mailconn.export_connection(found.connection, "hop")) == before | {"password": ""}


@pytest.mark.parametrize("example", [OPS, MSMTPRC, AUTOCONFIG, AIRFLOW], ids=lambda path: str(path.name))
def test_the_connections_of_each_example_go_wherever_they_can(example: Any) -> None:
    for found in mailconn.load_connections(example, address="ana@example.org"):
        connection = found.connection
        back, _ = there_and_back(connection, "url")
        assert (back.server_host, back.port, back.security) == (
            connection.server_host,
            connection.port,
            connection.security,
        )


@pytest.mark.parametrize(
    ("options", "to", "said"),
    [
        ({"protocol": "IMAP"}, "hop", "always uses TLS from the first byte"),
        ({"protocol": "IMAP"}, "airflow", "no STARTTLS"),
        ({"protocol": "POP3"}, "airflow", "POP3"),
        ({"protocol": "IMAP"}, "msmtp", "IMAP"),
        ({"protocol": "GRAPH", "username": "a@x.org"}, "hop", "GRAPH"),
        ({"protocol": "MBOX", "server_host": "/var/mail/ana"}, "url", "MBOX"),
        ({"trusted_hosts": "*"}, "hop", "any certificate"),
    ],
)
def test_what_would_mean_something_else_there_is_refused(options: dict[str, Any], to: Target, said: str) -> None:
    connection = MailConnection(**({"name": "ops", "server_host": "mail.example.org"} | options))
    with pytest.raises(InterchangeError, match=said):
        mailconn.export_connection(connection, to)
