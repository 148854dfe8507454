"""What goes to others with stars in place of secrets: what is found, and what is left as it is."""

from __future__ import annotations

import pytest

from mailconn_jupyter.connection.starred import starred
from mailconn_jupyter.secret import STARS

HIDDEN = (
    "password=hunter2",
    "PGPASSWORD=hunter2 psql",
    "{'api_key': 'hunter2', 'host': 'x'}",
    '{"access_token": "hunter2"}',
    "Authorization: Bearer hunter2",
    "curl --token hunter2 https://example.org",
    "https://ana:hunter2@example.org/x",
    "postgresql+psycopg://ana:hunter2@db/x",
    "    2 db_password = 'hunter2 and more'",
    "https://example.org/?a=1&token=hunter2&b=2",
)
KEPT = (
    "The password was refused.",
    "No password is kept for 'ops'.",
    "https://ana@example.org:8443/x",
    "set_password(name)",
    "token expired after 5 s",
    "passwords:",
)


@pytest.mark.parametrize("text", HIDDEN)
def test_what_says_that_it_is_a_secret_is_not_seen(text: str) -> None:
    said = starred(text, {})
    assert "hunter2" not in said
    assert STARS in said
    assert starred(said, {}).count(STARS) == said.count(STARS)


@pytest.mark.parametrize("text", KEPT)
def test_what_only_speaks_of_one_is_left_as_it_is(text: str) -> None:
    assert starred(text, {}) == text


def test_the_values_of_variables_that_hold_secrets_are_not_seen_and_other_values_are() -> None:
    environ = {
        "MAILCONN_OPS_PASSWORD": "hunter2",
        "MAILCONN_OPS_PASSWORD_FILE": "/run/secrets/ops",
        "DB_TOKEN": "a",
        "MAIL_HOST": "mail.example.org",
    }
    text = "hunter2 at mail.example.org by /run/secrets/ops: a"
    assert starred(text, environ) == f"{STARS} at mail.example.org by /run/secrets/ops: a"


@pytest.mark.parametrize("sign", ["a", "-", "password", "password=", "://a:", " ", '"', "--token "])
def test_a_long_text_is_looked_through_in_time(sign: str) -> None:
    assert len(starred(sign * (200_000 // len(sign)), {})) > 0
