"""URLs, in which the same scheme means opposite things."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given, strategies as st

import mailconn_jupyter as mailconn
from mailconn_jupyter.interchange.found import FoundConnection
from mailconn_jupyter.interchange.import_draft import InterchangeError
from mailconn_jupyter.secret import Kind
from tests.interchange.examples import PASSWORD
from tests.support.leaks import holds_no_text, password

WHO = "ana%40example.org:p%2Fw%3A%40%23%3F%25%2B%20%C3%BC"


def loaded(url: str, source: Literal["url", "django"] = "url") -> FoundConnection:
    [found] = mailconn.load_connections(url, source)
    return found


@pytest.mark.parametrize(
    ("source", "url", "protocol", "security", "port"),
    [
        ("url", f"smtps://{WHO}@mail.example.org:465", "SMTP", "SSL", 465),
        ("url", f"smtps://{WHO}@mail.example.org", "SMTP", "SSL", 465),
        ("url", f"smtp://{WHO}@mail.example.org:587", "SMTP", "TLS", 587),
        ("url", f"SMTP://{WHO}@mail.example.org", "SMTP", "TLS", 25),
        ("url", f"imaps://{WHO}@mail.example.org", "IMAP", "SSL", 993),
        ("url", f"imap://{WHO}@mail.example.org", "IMAP", "TLS", 143),
        ("url", f"pop3s://{WHO}@mail.example.org", "POP3", "SSL", 995),
        ("url", f"mailtos://{WHO}@example.org?smtp=mail.example.org&mode=ssl&port=465", "SMTP", "SSL", 465),
        ("url", f"mailtos://{WHO}@example.org?smtp=mail.example.org", "SMTP", "TLS", 587),
        ("url", f"mailtos://{WHO}@example.org:465?smtp=mail.example.org", "SMTP", "TLS", 465),
        ("django", f"smtp+tls://{WHO}@mail.example.org:587", "SMTP", "TLS", 587),
        ("django", f"smtps://{WHO}@mail.example.org:587", "SMTP", "TLS", 587),
        ("django", f"smtp+ssl://{WHO}@mail.example.org:465", "SMTP", "SSL", 465),
        ("django", f"smtp://{WHO}@mail.example.org:25", "SMTP", "", 25),
    ],
)
def test_a_url_means_what_its_writer_means(
    source: Literal["url", "django"], url: str, protocol: str, security: str, port: int
) -> None:
    found = loaded(url, source)
    connection = found.connection
    assert (connection.protocol, connection.server_host, connection.port, connection.security) == (
        protocol,
        "mail.example.org",
        port,
        security,
    )
    assert connection.username == "ana@example.org"
    assert found.secrets[Kind.PASSWORD].reveal() == PASSWORD
    assert not connection.allow_plaintext_password


def test_a_scheme_that_means_the_opposite_elsewhere_is_told_with_whose_it_was_taken_for() -> None:
    assert any("--from django" in note for note in loaded("smtps://mail.example.org").notes)
    assert any("--from url" in note for note in loaded("smtps://mail.example.org:587", "django").notes)
    with pytest.raises(InterchangeError) as caught:
        loaded("smtp+tls://mail.example.org")
    assert "--from django" in caught.value.hint
    with pytest.raises(InterchangeError, match=r"smtp\+ssl"):
        loaded("imaps://mail.example.org", "django")
    assert any("Did you mean smtps://?" in note for note in loaded("smtp://mail.example.org:465").notes)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.example.org:587?verify_peer=0",
        "smtps://mail.example.org?verify_peer=false",
        "mailtos://ana:x@example.org?verify=no",
    ],
)
def test_a_url_that_verifies_nobody_is_refused_and_offered_a_pin(url: str) -> None:
    with pytest.raises(InterchangeError, match="accepts any certificate") as caught:
        loaded(url)
    assert "trusted_hosts" in caught.value.hint


def test_a_login_mechanism_of_curls_is_ours() -> None:
    connection = loaded("imaps://ana;AUTH=OAUTHBEARER@mail.example.org").connection
    assert (connection.sasl_mechanism, connection.use_xoauth2) == ("OAUTHBEARER", True)
    assert any("AUTH" in note for note in loaded("imaps://ana;AUTH=NTLM@mail.example.org").notes)


def test_what_a_connection_has_no_word_for_is_named() -> None:
    found = loaded("smtps://mail.example.org/INBOX?local_domain=me.example.org&restart_threshold=3")
    assert found.connection.helo_name == "me.example.org"
    assert {note.partition(" was left out")[0] for note in found.notes} >= {"the path", "restart_threshold"}


@pytest.mark.parametrize(
    "url",
    [
        f"smtps://ana:{password()}@mail.example.org:x",
        f"smtps://ana:{password()}/@mail.example.org",
        f"smtps://ana:{password()}@mail.example.org:99999",
        f"smtps://ana:{password()}%ff@mail.example.org",
        f"smtps://ana:{password()}@mail.\texample.org",
        f"smtps://ana:{password()}@",
        f"smtps://ana:{password()}@mail example.org",
        f"smtps://ana;X=1:{password()}@mail.example.org",
        f"gopher://ana:{password()}@mail.example.org",
    ],
)
def test_a_url_that_cannot_be_read_is_an_error_that_repeats_nothing_of_it(url: str) -> None:
    with pytest.raises(InterchangeError) as caught:
        mailconn.load_connections(url, "url")
    holds_no_text(caught.value, password())
    assert "ana" not in str(caught.value)
    assert password() not in str(caught.value)


def test_a_url_in_a_variable_is_read_by_the_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", f"smtp+tls://{WHO}@mail.example.org:587")
    [found] = mailconn.load_connections("EMAIL_URL", "django", name="ops")
    assert (found.connection.name, found.connection.security) == ("ops", "TLS")


def test_several_urls_stand_a_line_each_and_a_bad_one_is_named_by_its_line() -> None:
    found = mailconn.load_connections(
        "smtps://a.example.org\n\n# old\nftp://b.example.org\nimaps://c.example.org\n", "url"
    )
    assert [each.connection.server_host for each in found] == ["a.example.org", "c.example.org"]
    assert [problem.message[:7] for problem in found.problems] == ["line 4:"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_user_and_password_arrive_as_they_are_or_are_refused_in_our_own_words(user: str, secret: str) -> None:
    from urllib.parse import quote  # noqa: PLC0415

    said = f"{quote(user, safe='', errors='replace')}:{quote(secret, safe='', errors='replace')}"
    try:
        found = loaded(f"smtps://{said}@mail.example.org")
    except InterchangeError:
        return
    if found.secrets:
        assert found.secrets[Kind.PASSWORD].reveal() == secret.encode("utf-8", "replace").decode()
