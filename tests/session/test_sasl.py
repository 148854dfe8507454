"""The SASL mechanisms: the examples of their RFCs, real servers, and a server's side of SCRAM."""

from __future__ import annotations

import ast
import base64
import contextlib
import re
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import example, given, settings, strategies as st

import mailconn_jupyter
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.connection.mechanisms import LOGIN, ROWS, SCRAM
from mailconn_jupyter.errors import OpenError
from mailconn_jupyter.secret import STARS
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.transport.sasl.choose import MECHANISMS, Login, Mechanism, choose, decode_error
from mailconn_jupyter.transport.sasl.exchange import Exchange
from mailconn_jupyter.transport.sasl.scram import saslprep
from mailconn_jupyter.transport.transport_errors import TransportError
from tests.contract.kit import Do
from tests.contract.scram import ScramServer
from tests.contract.smtp import SMTPKit
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.script import ScriptServer, StartTLS
from tests.support.isolation import give_password


def login(user: str, secret: str, authorization_id: str = "", host: str = "", port: int = 0) -> Login:
    return Login(user, lambda: secret, authorization_id, host, port)


def scram(name: str, user: str, secret: str, nonce: str, monkeypatch: pytest.MonkeyPatch) -> Mechanism:
    monkeypatch.setattr("mailconn_jupyter.transport.sasl.scram.secrets.token_urlsafe", lambda _: nonce)
    return MECHANISMS[name](login(user, secret))


# The examples of the RFCs


def test_scram_sha_1_as_rfc_5802_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mechanism = scram("SCRAM-SHA-1", "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL", monkeypatch)
    assert mechanism.start() == b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    server_first = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
    assert (
        mechanism.respond(server_first)
        == b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    )
    with pytest.raises(TransportError):
        mechanism.finish()
    assert mechanism.respond(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") == b""
    mechanism.finish()
    with pytest.raises(TransportError):
        mechanism.respond(b"")


def test_scram_sha_256_as_rfc_7677_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mechanism = scram("SCRAM-SHA-256", "user", "pencil", "rOprNGfwEbeRWgbNEkqO", monkeypatch)
    assert mechanism.start() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    server_first = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert mechanism.respond(server_first) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert mechanism.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""
    mechanism.finish()


def test_scram_sha_512_as_cyrus_sasl_speaks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # No RFC has an example. This is a login at the library of Cyrus SASL 2.1.28, which took the proof.
    mechanism = scram("SCRAM-SHA-512", "alice", "pencil", "rOprNGfwEbeRWgbNEkqO", monkeypatch)
    assert mechanism.start() == b"n,,n=alice,r=rOprNGfwEbeRWgbNEkqO"
    nonce = b"r=rOprNGfwEbeRWgbNEkqOQ28iHR6LDhaljJmnX50VEwnsYXTRVMCw"
    salt = b"VOidBnUn7YPT6duD0K4wapFAyUhOD68TeEWI7EZD6mkNqDJfmi5I3UejgtEZuqNNqJI9uwbSalX7PbcxlFtA7A=="
    proof = b"WpnbcYA6LwrpwV0pQprabnDXQ8tOPKN+s1ajRZ+/ikNx3frjFab+O+rPMeODAZWJfw6L8sg5yZXcD8bIwBpTTA=="
    assert mechanism.respond(nonce + b",s=" + salt + b",i=4096") == b"c=biws," + nonce + b",p=" + proof
    signature = b"TgP8fHdy4BVU7tUCwRahiy3Ff/my7XqKjJGTz3f+n1xe2gHXCwv5b5ry1Qb7530l3zo+JGCdCeLfEUbdjbJw4g=="
    assert mechanism.respond(b"v=" + signature) == b""
    mechanism.finish()


def test_cram_md5_as_rfc_2195_shows_it() -> None:
    mechanism = MECHANISMS["CRAM-MD5"](login("tim", "tanstaaftanstaaf"))
    assert mechanism.start() is None
    challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    assert mechanism.respond(challenge) == b"tim b913a602c7eda7a495b4e6e7334d3890"


def test_plain_as_rfc_4616_shows_it() -> None:
    assert MECHANISMS["PLAIN"](login("tim", "tanstaaftanstaaf")).start() == b"\0tim\0tanstaaftanstaaf"
    acting = MECHANISMS["PLAIN"](login("Kurt", "xipj3plmq", "Ursel")).start()
    assert acting == b"Ursel\0Kurt\0xipj3plmq"


def test_oauthbearer_as_rfc_7628_shows_it() -> None:
    token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
    mechanism = MECHANISMS["OAUTHBEARER"](login("user@example.com", token, "", "server.example.com", 143))
    assert mechanism.start() == (
        b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer " + token.encode() + b"\x01\x01"
    )
    # RFC 7628, 3.2.3: the error is answered by a single %x01.
    said = base64.b64decode("eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIn0=")
    assert decode_error(said) == "status invalid_token, scope example_scope"
    assert mechanism.respond(said) == b"\x01"


def test_xoauth2_as_google_shows_it() -> None:
    mechanism = MECHANISMS["XOAUTH2"](login("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"))
    assert mechanism.start() == base64.b64decode(
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0"
        "Q2cBAQ=="
    )


@pytest.mark.parametrize(
    ("given_text", "prepared"),
    [("I\u00adX", "IX"), ("user", "user"), ("USER", "USER"), ("\u00aa", "a"), ("\u2168", "IX"), ("a\u00a0b", "a b")],
)
def test_saslprep_as_rfc_4013_shows_it(given_text: str, prepared: str) -> None:
    assert saslprep(given_text) == prepared


# One exchange, whatever the protocol puts around its lines


def exchange(name: str, *challenges: bytes, longest: int = 512, secret: str = "ya29.t0ken") -> tuple[Exchange, Any]:
    """The exchange and what was said and shown, the server saying these challenges and then deciding."""
    said: list[tuple[bytes, str]] = []
    answers = iter([*map(base64.b64encode, challenges), None])
    made = Exchange(MECHANISMS[name](login("ana", secret)))
    with contextlib.suppress(TransportError):
        made.run(
            f"AUTH {name}".encode(),
            lambda line, shown: said.append((line, shown)),
            lambda: next(answers),
            longest=longest,
        )
    return made, said


def test_an_initial_response_goes_with_the_command_as_long_as_both_fit_one_line() -> None:
    first = base64.b64encode(b"\0ana\0" + b"x" * 40)
    whole = len(b"AUTH PLAIN " + first + b"\r\n")
    assert exchange("PLAIN", longest=whole, secret="x" * 40)[1][0][0] == b"AUTH PLAIN " + first
    assert [line for line, _ in exchange("PLAIN", b"", longest=whole - 1, secret="x" * 40)[1]] == [b"AUTH PLAIN", first]


def test_nothing_that_an_exchange_sends_is_shown() -> None:
    for name in MECHANISMS:
        shown = [words for _, words in exchange(name, b"<1@x>", b"")[1]]
        assert shown[0] == f"AUTH {name} {STARS}"
        assert set(shown[1:]) <= {STARS, "*"}


@pytest.mark.parametrize(
    "said", [b'{"was":"ya29.t0ken"}', b'{"was":"ya29.\\u00740ken"}', b"no ya29.t0ken here", b'["ya29.t0ken"]']
)
def test_a_token_that_the_server_repeats_is_hidden_also_where_its_json_escapes_it(said: bytes) -> None:
    made, _ = exchange("XOAUTH2", said)
    assert "t0ken" not in made.reason
    assert STARS in made.reason


def test_what_was_sent_is_hidden_where_a_server_repeats_it_unless_it_could_be_any_word() -> None:
    made, said = exchange("LOGIN", b"User:", b"Password:", secret="s3cret!")
    password = said[-1][0]
    assert made.hide(b"535 " + password + b" s3cret! is wrong") == f"535 {STARS} {STARS} is wrong".encode()
    short, _ = exchange("LOGIN", b"User:", b"Password:", secret="no")
    assert short.hide(b"535 no, bm8= is wrong") == b"535 no, bm8= is wrong"


# SCRAM against a server's side

texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20)


@settings(max_examples=100)
@given(
    texts,
    texts,
    st.one_of(st.just(""), texts),
    st.sampled_from([row.name for row in SCRAM]),
    st.binary(min_size=1),
)
@example("a,b=c", "p=w,d", "=2C", "SCRAM-SHA-256", b"\0")
def test_scram_proves_each_side_to_the_other(user: str, password: str, identity: str, name: str, salt: bytes) -> None:
    digest = name.removeprefix("SCRAM-").replace("-", "").lower()
    server = ScramServer(digest, saslprep(password), salt=salt, iterations=16)
    mechanism = MECHANISMS[name](login(user, password, identity))
    first = mechanism.start()
    assert first is not None
    proof = server.final(mechanism.respond(server.first(first)))
    assert proof is not None
    assert (server.user, server.identity) == (saslprep(user), identity)
    assert mechanism.respond(proof) == b""
    mechanism.finish()
    # And a server with another password proves nothing, nor accepts this side.
    other = ScramServer(digest, saslprep(password) + "x", salt=salt, iterations=16)
    mechanism = MECHANISMS[name](login(user, password, identity))
    first = mechanism.start()
    assert first is not None
    assert other.final(mechanism.respond(other.first(first))) is None


# One home for the names


def test_every_mechanism_of_the_table_is_made_by_one_class_and_can_be_pinned() -> None:
    assert sorted(MECHANISMS) == sorted(row.name for row in ROWS)
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert MECHANISMS[row.name](login("ana", "s")).row is row
        assert MailConnection(sasl_mechanism=row.name.lower()).sasl_mechanism == row.name


def constants(path: Path) -> Iterator[str]:
    """The texts of a module, without its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in docstrings:
            yield node.value if isinstance(node.value, str) else node.value.decode("latin-1")


def test_no_module_but_the_table_names_a_mechanism() -> None:
    package = Path(mailconn_jupyter.__file__).parent
    home = package / "connection" / "mechanisms.py"
    names = "|".join(re.escape(row.name) for row in ROWS)
    # LOGIN is a command of IMAP, too, which takes arguments.
    command = {package / "session" / "imap" / name for name in ("commands_imap.py", "client.py")}
    found = [
        (path.relative_to(package).as_posix(), text)
        for path in sorted(package.rglob("*.py"))
        for text in constants(path)
        if path != home and (match := re.search(rf"(?<![\w-])({names})(?![\w-])", text))
        if not (path in command and match.group() == LOGIN.name)
    ]
    assert found == []
    assert sum(bool(re.fullmatch(names, text)) for text in constants(home)) >= len(ROWS)


# Choosing


def test_the_pinned_mechanism_is_the_only_one() -> None:
    offered = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"]
    assert choose(offered, login("a", "b"), tls=True, token=False, pinned="LOGIN").name == "LOGIN"
    with pytest.raises(TransportError, match="does not offer SCRAM-SHA-1"):
        choose(offered, login("a", "b"), tls=True, token=False, pinned="SCRAM-SHA-1")


@pytest.mark.parametrize(("pinned", "token"), [("XOAUTH2", False), ("OAUTHBEARER", False), ("PLAIN", True)])
def test_a_password_is_no_token_and_a_token_no_password_also_where_the_mechanism_is_pinned(
    pinned: str, token: bool
) -> None:
    with pytest.raises(TransportError) as caught:
        choose(["XOAUTH2", "OAUTHBEARER", "PLAIN"], login("a", "b"), tls=True, token=token, pinned=pinned)
    assert caught.value.cause == "no-mechanism"


def test_an_authorization_identity_rules_out_the_mechanisms_that_have_none() -> None:
    acting = login("admin", "x", "alice")
    assert choose(["CRAM-MD5", "LOGIN", "PLAIN"], acting, tls=True, token=False).name == "PLAIN"
    assert choose(["XOAUTH2", "OAUTHBEARER"], acting, tls=True, token=True).name == "OAUTHBEARER"
    with pytest.raises(TransportError, match="with an authorization identity"):
        choose(["CRAM-MD5", "LOGIN"], acting, tls=True, token=False)


@pytest.mark.parametrize("name", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER", "EXTERNAL"])
@pytest.mark.parametrize("flaw", ["a\0admin", "a\x01auth=Bearer x"])
def test_a_user_with_a_separator_of_the_mechanism_in_it_is_not_sent(name: str, flaw: str) -> None:
    for bad in (login(flaw, "secret"), login("alice", "secret", flaw)):
        with pytest.raises(TransportError) as caught:
            MECHANISMS[name](bad)
        assert "secret" not in str(caught.value)


# Real servers


def to(port: int, certificates: Certificates, **options: Any) -> MailConnection:
    given = {
        "name": "ops",
        "server_host": "localhost",
        "server_port": port,
        "secure_authentication_type": "SSL",
        "ca_file": str(certificates.ca.pem),
        **options,
    }
    return MailConnection(**given)


def delivers(connection: MailConnection, postfix: Postfix) -> None:
    token = uuid.uuid4().hex
    with connect(connection) as smtp:
        smtp.sendmail("bob@example.test", ["alice@example.test"], f"Subject: {token}\r\n\r\nhello\r\n")
    postfix.wait_for("alice", token)


def test_one_user_acts_as_another_by_plain(postfix: Postfix, dovecot: Dovecot, certificates: Certificates) -> None:
    admin, password = dovecot.master
    give_password("ops", password)
    connection = to(postfix.only["PLAIN"], certificates, username=admin, authorization_id="alice")
    delivers(connection, postfix)
    assert "sasl_method=PLAIN, sasl_username=alice" in postfix.log.read_text()
    # Without the right to it, nobody does.
    give_password("ops", "hunter2")
    with pytest.raises(OpenError) as caught:
        connect(connection.copy(username="bob"))
    assert caught.value.cause == "wrong-password"


def test_one_user_acts_as_another_by_scram_on_the_wire() -> None:
    kit = SMTPKit()
    seen: list[tuple[str, str]] = []

    def talk_through(talk: Any) -> None:
        server = ScramServer("sha256", "adm1n")
        final = kit.challenge(talk, server.first(kit.login(talk, "SCRAM-SHA-256")))
        assert final is not None
        proof = server.final(final)
        assert proof is not None
        assert kit.challenge(talk, proof) == b""
        seen.append((server.user, server.identity))
        kit.accept(talk)

    give_password("ops", "adm1n")
    script = [*kit.offer("SCRAM-SHA-256"), *map(Do, (talk_through, kit.farewell))]
    options: dict[str, Any] = {"use_secure_authentication": False, "username": "admin", "authorization_id": "alice"}
    with (
        ScriptServer(script) as server,
        connect(MailConnection(name="ops", server_host="localhost", server_port=server.port, **options)),
    ):
        pass
    assert seen == [("admin", "alice")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"username": "alice"}, b"alice"),
        ({"authorization_id": "bob", "username": "alice"}, b"bob"),
        ({"use_authentication": True}, b""),
    ],
)
def test_external_logs_in_with_the_client_certificate(
    options: dict[str, Any], message: bytes, certificates: Certificates
) -> None:
    kit, shown, said = SMTPKit(), list[Any](), list[bytes]()
    context = certificates.good.server_context()
    context.load_verify_locations(certificates.ca.pem)
    context.verify_mode = ssl.CERT_REQUIRED

    def talk_through(talk: Any) -> None:
        shown.append(talk._sock.getpeercert())
        line = talk.line()
        said.append(b"" if line == b"AUTH EXTERNAL =" else base64.b64decode(line.removeprefix(b"AUTH EXTERNAL ")))
        kit.accept(talk)

    script = [
        StartTLS(context),
        *kit.offer("EXTERNAL", "PLAIN"),
        *map(Do, (talk_through, kit.farewell)),
    ]
    with ScriptServer(script) as server:
        connection = to(
            server.port,
            certificates,
            sasl_mechanism="EXTERNAL",
            client_certificate=str(certificates.client.pem),
            client_key=str(certificates.client.key),
            **{"use_authentication": True, **options},
        )
        # No password is asked for: there is none to be had.
        with connect(connection, ask=False):
            pass
    assert said == [message]
    assert (("commonName", "alice"),) in shown[0]["subject"] or "alice@example.test" in str(shown[0])


def test_a_server_that_requires_a_client_certificate_gets_it(postfix: Postfix, certificates: Certificates) -> None:
    give_password("ops", "s3cret")
    shown = {"client_certificate": str(certificates.client.pem), "client_key": str(certificates.client.key)}
    delivers(to(postfix.client_certificate, certificates, username="alice", **shown), postfix)
    report = check(to(postfix.client_certificate, certificates, username="alice"))
    assert not report.ok


def test_a_client_certificate_that_cannot_be_used_is_said_before_anything_is_sent(
    certificates: Certificates, tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(certificates.client.key.read_bytes(), None)
    encrypted, missing = tmp_path / "encrypted.key", tmp_path / "missing.pem"
    encryption = serialization.BestAvailableEncryption(b"passphrase")
    pkcs8 = serialization.PrivateFormat.PKCS8
    encrypted.write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, encryption))
    client = certificates.client
    for pem, private, words in (
        (client.pem, encrypted, "passphrase"),
        (missing, client.key, "missing.pem"),
        (client.pem, certificates.good.key, "client.pem"),
        (client.pem, "", "client.pem"),
        (encrypted, encrypted, "encrypted.key"),
    ):
        with ScriptServer([], []) as server:
            connection = to(
                server.port,
                certificates,
                username="alice",
                sasl_mechanism="EXTERNAL",
                client_certificate=str(pem),
                client_key=str(private),
            )
            report = check(connection)
            with pytest.raises(OpenError) as caught:
                connect(connection)
        assert (caught.value.stage, caught.value.cause) == ("secure", "client-certificate")
        assert words in caught.value.message
        assert report.failed is not None
        assert "passphrase" in report.failed.hint
        assert not server.lines


def test_what_a_server_offers_is_told_at_a_length_that_a_person_reads() -> None:
    with pytest.raises(TransportError) as caught:
        choose(["PLA" + "{" * 60_000], login("a", "b"), tls=True, token=False)
    assert len(str(caught.value)) < 500
