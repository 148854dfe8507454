"""Apache Hop's connections."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

import mailconn_jupyter as mailconn
from mailconn_jupyter.interchange import hop
from mailconn_jupyter.interchange.found import FoundConnection
from mailconn_jupyter.interchange.import_draft import InterchangeError
from mailconn_jupyter.secret import Kind
from tests.interchange.examples import OPS

FILE: dict[str, Any] = json.loads(OPS.read_text(encoding="utf-8"))


def loaded(**changes: Any) -> FoundConnection:
    said = {key: value for key, value in (FILE | changes).items() if value is not ...}
    [found] = mailconn.load_connections(json.dumps(said), "hop")
    return found


def test_a_metadata_file_is_read_and_the_note_says_where_it_is_stricter_here() -> None:
    [found] = mailconn.load_connections(OPS, source="hop")
    connection = found.connection
    assert connection == mailconn.MailConnection(
        name="ops", server_host="mail.example.org", server_port=587, username="ana@example.org"
    )
    assert connection.server_port == 587
    assert found.notes == ("STARTTLS is required here. Hop continues in plain text if the server does not offer it.",)
    assert found.secrets[Kind.PASSWORD].reveal() == "s3cret"
    assert "s3cret" not in repr(found) + found._repr_html_() + repr(vars(found))


@pytest.mark.parametrize(
    ("password", "written"),
    [
        ("s3cret", "Encrypted 2be98afc86aa7f2e4cb79bd23dd80aace"),
        ("1234567890", "Encrypted 2be98afc86aa7c3d6f84dfb2689caf68a"),
        ("pässwörd", "Encrypted 2be98afc86aa782276f0abd677d44bdde"),
        ("ü", "Encrypted -2be98afc86aa7f2e4cb79ce10bef2f3fa"),
        ("abcdefghijklmnopqrst€", "Encrypted 61626364656665d6f1c5a306ca9c8bbb08bc63ca104d16"),
        ("", "Encrypted "),
        ("", ""),
        ("plain", "plain"),
    ],
)
def test_a_password_is_decoded_as_java_has_encoded_it(password: str, written: str) -> None:
    decoded = hop.decoded(written)
    assert decoded is not None
    assert decoded.reveal() == password


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40))
def test_every_password_that_java_encodes_is_decoded(password: str) -> None:
    number = int.from_bytes(password.encode(), "big", signed=True) ^ 933910847463829827159347601486730416058
    decoded = hop.decoded(f"Encrypted {number:x}")
    assert decoded is not None
    assert decoded.reveal() == password


@pytest.mark.parametrize("written", ["Encrypted xyz", "Encrypted 12 34", "AES2 abcd==", "Encrypted " + "f" * 5000])
def test_a_password_in_another_encoding_is_left_out_and_told(written: str) -> None:
    found = loaded(password=written)
    assert found.secrets == {}
    assert any("not in Hop's standard encoding" in note for note in found.notes)


def test_a_variable_is_one_of_ours_whichever_way_it_is_written_and_a_password_in_one_is_told() -> None:
    found = loaded(serverHost="%%MAIL_HOST%%", serverPort="${PORT}", username="%%WHO%%@x.org", password="${PW}")
    connection = found.connection
    assert (connection.server_host, connection.server_port) == ("${MAIL_HOST}", "${PORT}")
    assert connection.username == "${WHO}@x.org"
    assert found.secrets == {}
    assert "The password is one of Hop's variables, whose value is not known here." in found.notes


def test_a_proxy_there_is_an_authorization_identity_here_and_no_network_proxy() -> None:
    found = loaded(useProxy=True, proxyUsername="shared@example.org")
    assert found.connection.authorization_id == "shared@example.org"
    assert not found.connection.use_proxy
    assert any("not a network proxy" in note for note in found.notes)


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
@pytest.mark.parametrize("kind", ["SSL", "TLS", "TLS 1.2"])
def test_a_mailbox_has_tls_from_the_first_byte_whatever_the_type_says(protocol: str, kind: str) -> None:
    found = loaded(protocol=protocol, secureConnectionType=kind, serverPort="993")
    assert found.connection.security == "SSL"
    assert any("always uses TLS from the first byte" in note for note in found.notes) == (kind != "SSL")


def test_a_missing_key_has_javas_default() -> None:
    found = loaded(
        useAuthentication=..., useSecureAuthentication=..., secureConnectionType=..., checkServerIdentity=...
    )
    connection = found.connection
    assert connection.use_authentication
    assert (connection.security, connection.check_server_identity) == ("TLS", True)


def test_tls_1_2_has_a_blank_there() -> None:
    assert loaded(secureConnectionType="TLS 1.2").connection.security == "TLS1.2"


def test_a_mailbox_file_is_its_path() -> None:
    connection = loaded(protocol="MBOX", serverHost="/var/mail/ana", serverPort="").connection
    assert (connection.protocol, connection.server_host) == ("MBOX", "/var/mail/ana")


def test_without_a_port_it_is_the_one_that_hop_takes() -> None:
    found = loaded(serverPort="")
    assert found.connection.port == 25
    assert any("the port for logging in is 587" in note for note in found.notes)


def test_plain_text_stays_plain_text_and_no_password_goes_over_it() -> None:
    found = loaded(useSecureAuthentication=False)
    assert found.connection.security == ""
    assert not found.connection.allow_plaintext_password
    assert any("No password is sent over it" in note for note in found.notes)


def test_whoever_trusts_everybody_is_refused_and_offered_a_pin() -> None:
    with pytest.raises(InterchangeError, match=r"accepts any certificate") as caught:
        loaded(trustedHosts="*")
    assert "host=sha256:HEX" in caught.value.hint
    assert loaded(trustedHosts="mail.example.org b.example.org").connection.trusted_hosts.split()[1] == "b.example.org"


def test_what_hop_has_and_a_connection_has_not_is_named() -> None:
    found = loaded(virtualPath="/mail/prod", proxyHost="gate.example.org")
    assert {note.partition(" ")[0] for note in found.notes} >= {"virtualPath", "proxyHost"}


def project(folder: Path, count: int) -> Path:
    kept = folder / "project" / hop.FOLDER
    kept.mkdir(parents=True)
    for number in range(count):
        (kept / f"c{number:02}.json").write_text(json.dumps(FILE | {"name": f"c{number:02}"}), encoding="utf-8")
    return folder / "project"


def test_a_project_of_twenty_is_twenty_connections_whichever_folder_is_named(tmp_path: Path) -> None:
    root = project(tmp_path, 20)
    for folder in (root, root / "metadata", root / hop.FOLDER):
        found = mailconn.load_connections(folder)
        assert [each.connection.name for each in found] == [f"c{number:02}" for number in range(20)]
        assert found.problems == ()
    assert repr(found).count("mail.example.org:587") == 20
    said = found.save()
    assert len(mailconn.connections) == 20
    assert len(said) == 40


def test_one_bad_file_of_a_project_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    root = project(tmp_path, 3)
    (root / hop.FOLDER / "c01.json").write_text("{", encoding="utf-8")
    (root / hop.FOLDER / "c09.json").write_text(json.dumps(FILE | {"name": "C02"}), encoding="utf-8")
    found = mailconn.load_connections(root)
    assert [each.connection.name for each in found] == ["c00", "c02"]
    assert [problem.message for problem in found.problems] == [
        "c01.json: It is not JSON (line 1, column 2: Expecting property name enclosed in double quotes).",
        "c09.json: there is already a connection called 'C02'.",
    ]
    assert "c01.json" in repr(found)
    assert "c01.json" in found._repr_html_()


def test_a_folder_without_connections_says_where_hop_keeps_them(tmp_path: Path) -> None:
    with pytest.raises(InterchangeError, match="metadata/MailServerConnection"):
        mailconn.load_connections(tmp_path)
