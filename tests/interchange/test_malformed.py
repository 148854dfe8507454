"""Files that are none, or half of one: an error of a line or two, and nothing is saved."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.commands import COMMANDS
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.interchange.import_draft import InterchangeError
from mailconn_jupyter.interchange.programs import SOURCES, Source
from tests.fuzz.mutations import mutated
from tests.fuzz.report import within
from tests.interchange.examples import AIRFLOW, AUTOCONFIG, MSMTPRC, OPS
from tests.support.leaks import holds_no_text, password

HOP: dict[str, Any] = json.loads(OPS.read_text(encoding="utf-8"))
SMTP: dict[str, Any] = {"conn_type": "smtp", "host": "mail.example.org", "port": 587, "extra": {}}


def files() -> Iterator[tuple[str, bytes]]:
    """A format and what stands in a file of it."""
    for source in SOURCES:
        for data in (b"", b"\0" * 50, b"\xff\xfe{\0}\0", b"\xff" * 9, b"PK\x03\x04\x14\0", b"[" * 99_999):
            yield source, data
    whole = OPS.read_bytes()
    yield from (("hop", whole[:end]) for end in range(1, len(whole) - 3, len(whole) // 19))
    whole = AUTOCONFIG.read_bytes()
    yield from (("autoconfig", whole[:end]) for end in range(1, len(whole) - 3, len(whole) // 19))
    for key in ("name", "protocol", "serverHost", "serverPort", "username", "password", "trustedHosts"):
        yield "hop", json.dumps(HOP | {key: [1]}).encode()
    for key in ("useAuthentication", "useXOAuth2", "useSecureAuthentication", "checkServerIdentity", "useProxy"):
        yield "hop", json.dumps(HOP | {key: "perhaps"}).encode()
    for key, value in {
        "protocol": "LMTP",
        "serverHost": "a:b@mail.example.org",
        "serverPort": "70000",
        "secureConnectionType": "TLS 1.0",
        "trustedHosts": "*",
        "name": "\ud800",
        "username": "a\nb",
    }.items():
        yield "hop", json.dumps(HOP | {key: value}).encode()
    yield "hop", json.dumps({key: value for key, value in HOP.items() if key != "protocol"}).encode()
    for key in ("conn_type", "host", "port", "login", "password"):
        yield "airflow", json.dumps(SMTP | {key: {}}).encode()
    extras: tuple[Any, ...] = (
        7,
        [1],
        "{",
        {"ssl_context": "none"},
        {"auth_type": "kerberos"},
        {"timeout": "soon"},
        {"scope": []},
    )
    for extra in extras:
        yield "airflow", json.dumps(SMTP | {"extra": extra}).encode()
    for line in ("AIRFLOW_CONN_A={", "AIRFLOW_CONN_A=smtp://:99999", "smtp://a b", "AIRFLOW_CONN_A=", '{"a": 3}'):
        yield "airflow", line.encode()
    for url in (
        "smtps://",
        "smtps//a.org",
        "http://a.org",
        "smtps://a:b",
        "smtps://a.org:0",
        "smtps://[::1",
        "smtp://?x",
    ):
        yield "url", url.encode()
        yield "django", url.replace("smtps", "smtp+ssl").encode()
    for line in (
        "account",
        "account a : a",
        "account a\nport 1",
        "account a\nhost x\ntls_certcheck off\ntls on",
        "host x",
    ):
        yield "msmtp", line.encode()


MALFORMED = list(enumerate(files()))


def test_there_are_a_hundred_and_more() -> None:
    assert len(MALFORMED) >= 130


@pytest.mark.parametrize(("number", "file"), MALFORMED, ids=lambda value: value if isinstance(value, int) else value[0])
def test_a_malformed_file_is_an_error_of_a_line_or_two_and_nothing_is_saved(
    number: int, file: tuple[str, bytes], tmp_path: Path
) -> None:
    source, data = file
    path = tmp_path / f"given{number}"
    path.write_bytes(data)
    with pytest.raises(MailConnError) as caught:
        list(COMMANDS["import"].do(what=str(path), source=source, save=True))
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    assert len(message) < 600
    assert re.search(r"[.?]$", caught.value.message), message
    assert "s3cret" not in message
    assert list(mailconn.connections) == []


@pytest.mark.parametrize("example", [OPS, MSMTPRC, AUTOCONFIG, AIRFLOW], ids=lambda path: str(path.name))
def test_whatever_is_changed_in_a_file_it_is_read_or_is_an_error_of_ours(example: Path) -> None:
    programs: dict[Path, Source] = {OPS: "hop", MSMTPRC: "msmtp", AUTOCONFIG: "autoconfig", AIRFLOW: "airflow"}
    source = programs[example]
    whole, tokens = (
        example.read_bytes(),
        [b"\xff", b"\0", b"${X}", b"%", b"*", b"\r", b'"', b"&#0;", b"9" * 400, b"{" * 2000],
    )
    for seed in range(300):
        # Whatever else it raised would end this.
        with suppress(InterchangeError):
            found = mailconn.load_connections(mutated([whole], seed, tokens), source, address="ana@example.org")
            assert len(repr(found)) + len(found._repr_html_()) < 200_000


@pytest.mark.parametrize("source", SOURCES)
def test_no_frame_of_an_error_holds_what_stands_in_the_file(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "given"
    secret = password()
    for text in (
        json.dumps(HOP | {"password": secret, "serverPort": "x"}),
        json.dumps(SMTP | {"password": secret, "port": "x"}),
        json.dumps(HOP | {"password": secret})[:-5],
        f"smtps://ana:{secret}@mail.example.org:x",
        f"account a\nhost a.b\nport x\npassword {secret}\n",
        f"<a>{secret}",
        f"\udcff{secret}",
    ):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        for what in (path, path.read_bytes(), str(path)):
            with pytest.raises(InterchangeError) as caught:
                mailconn.load_connections(what, source)
            holds_no_text(caught.value, secret)
            assert secret not in str(caught.value)
            links = [caught.value, caught.value.__cause__, caught.value.__context__]
            assert secret not in repr([vars(link) for link in links if link is not None])


@pytest.mark.parametrize(
    ("source", "text", "said"),
    [
        ("hop", "[" * 900_000, "cannot be read"),
        ("airflow", json.dumps(SMTP | {"extra": '{"a":' * 50_000}), "not readable JSON"),
        ("url", f"smtps://{'a:' * 9_000}{'@' * 3_000}", "cannot be read"),
        ("url", "smtps://" + "a" * 1_000_001, "larger than 1.0 MB"),
        ("msmtp", "account a\n" + "".join(f"k{number} v\n" for number in range(3_000)), "more than 100 settings"),
        ("msmtp", "".join(f"account a{number}\n" for number in range(20_000)), "more than 10000 accounts"),
        ("msmtp", "account a\nhost x.y\ntls on\nauth on\npasswordeval " + "'" * 400_001, "It is incomplete"),
        (
            "autoconfig",
            f"<clientConfig><emailProvider>{'<incomingServer/>' * 19_000}</emailProvider></clientConfig>",
            "type is",
        ),
    ],
    ids=lambda value: value if len(value) < 40 else "",
)
def test_what_is_made_to_take_for_ever_is_over_soon(source: Source, text: str, said: str) -> None:
    with within(20):
        try:
            shown = repr(mailconn.load_connections(text, source))
        except InterchangeError as error:
            shown = str(error)
    assert said in shown
    assert len(shown) < 3_000


def test_nothing_is_not_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    for nothing in ("", "  ", Path()):
        with pytest.raises(InterchangeError):
            mailconn.load_connections(nothing)
    monkeypatch.setenv("EMAIL_URL", "")
    with pytest.raises(InterchangeError, match="The variable EMAIL_URL is empty"):
        mailconn.load_connections("EMAIL_URL", "django")


def test_what_is_no_file_is_an_error_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"a" * 1_000_001)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    for what in ("large", "pipe", "missing", "a\0b"):
        with pytest.raises(InterchangeError, match="cannot be read"):
            mailconn.load_connections(tmp_path / what, "msmtp")
    with pytest.raises(InterchangeError, match="not int"):
        mailconn.load_connections(7)  # type: ignore[arg-type]
    with pytest.raises(InterchangeError, match=r"'hopp' is not one of hop, .* Did you mean 'hop'\?"):
        mailconn.load_connections("x", "hopp")  # type: ignore[arg-type]
    with pytest.raises(InterchangeError, match="unclear which program"):
        mailconn.load_connections("Dear Ana,\nhello")


def test_what_looks_like_a_password_in_the_place_of_a_file_is_not_repeated() -> None:
    with pytest.raises(InterchangeError) as caught:
        mailconn.load_connections("ana:correct-horse@mail.example.org")
    assert "correct-horse" not in str(caught.value)
