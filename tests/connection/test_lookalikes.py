"""Names and hosts that look like others: what cannot be seen is refused, letters of two scripts in a word are told."""

from __future__ import annotations

import json
import unicodedata
import warnings
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.connection.lookalikes import hidden, mixed_scripts
from mailconn_jupyter.errors import MailConnWarning, OptionError
from mailconn_jupyter.notebook.form.draft import Draft
from mailconn_jupyter.store import connections
from tests.support.shells import keep

HIDDEN = [
    "o\u200bps",
    "ops\u200b",
    "\u202eops",
    "o\u2066p\u2069s",
    "o\u200dps",
    "o\u200cps",
    "ops\u2060",
    "\ufeffops",
    "o\u00adps",
    "ops\u061c",
    "ops\u115f",
    "ops\u3164",
    "o\u034fps",
    "ops\u2800",
    "ops\ufe0f",
    "ops1\ufe0e",
    "o\U000e0101ps",
    "ops\U000e0061",
    "\u200d🚀",
    "🚀\u200d",
    "o\u180eps",
]
SEEN = [
    "ops",
    "👩\u200d💻 deploy 🚀",
    "❤\ufe0f",
    "👨\u200d👩\u200d👧",
    "🏳\ufe0f\u200d🌈",
    "1\ufe0f\u20e3 first",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "می\u200cخو\u0627\u0647م",
    "क्\u200dष",
    "Größe",
    "e\u0301",
    "日本語",
    "👋🏽",
    "葛\U000e0100",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_what_cannot_be_seen_is_refused_in_a_name(text: str) -> None:
    with pytest.raises(
        OptionError, match=r"Connection name: .*contains U\+[0-9A-F]{4,5}.*, which is invisible"
    ) as caught:
        MailConnection(name=text)
    assert caught.value.trait == "name"
    assert not hidden(text.encode("ascii", "ignore").decode())


@pytest.mark.parametrize("text", SEEN)
def test_what_people_type_is_not(text: str) -> None:
    assert MailConnection(name=text).name == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "options",
    [
        {"server_host": "mail.\u200bexample.org"},
        {"server_host": "mail.example.org\u202e"},
        {"proxy_host": "ga\u00adte"},
        {"trusted_hosts": "mail.example.org ma\u200bil.example.org"},
        {"trusted_hosts": "*\u2060"},
    ],
)
def test_what_cannot_be_seen_is_refused_in_a_host(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="which is invisible"):
        MailConnection(**options)
    [(name, value)] = options.items()
    given: dict[str, Any] = {"server_host": "mail.example.org", name: "${THING}", "use_proxy": True}
    connection = MailConnection(**given)
    with pytest.raises(OptionError):
        connection.resolved({"THING": value})


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("\u043eps", ["CYRILLIC", "LATIN"]),
        ("p\u0430ypal.example", ["CYRILLIC", "LATIN"]),
        ("weekly r\u0435port", ["CYRILLIC", "LATIN"]),
        ("\u03b1lpha", ["GREEK", "LATIN"]),
        ("почта", []),
        ("почта ops", []),
        ("Почта-ops 2", []),
        ("日本語のメール", []),
        ("Q3レポート", []),
        ("메일ops", []),
        ("\uff4f\uff50\uff53", []),
        ("日本語\u0438", ["CYRILLIC", "HAN"]),
        ("µservice", []),
        ("naïve", []),
        ("x²", []),
    ],
)
def test_two_scripts_in_one_word_are_told_and_two_words_are_not(text: str, scripts: list[str]) -> None:
    said = mixed_scripts(text).upper()
    assert bool(said) == bool(scripts)
    for script in scripts:
        assert script in said


@pytest.mark.parametrize(
    "options", [{"name": "\u043eps"}, {"server_host": "m\u0430il.example.org"}, {"proxy_host": "g\u0430te"}]
)
def test_saving_what_mixes_scripts_warns_and_saves(options: dict[str, Any]) -> None:
    connection = MailConnection(**{"name": "ops", "server_host": "mail.example.org", **options})
    with pytest.warns(MailConnWarning, match=r"mixes Latin and Cyrillic letters.*U\+04[0-9A-F]{2}"):
        connections.save(connection)
    assert connection.name in connections
    # Once it is there nobody is told again.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connections.update(connection.name, timeout=5)


def test_a_rename_warns_as_well(own_config: object) -> None:
    keep("ops")
    with pytest.warns(MailConnWarning, match="mixes"):
        connections.rename("ops", "\u043eps")


def test_the_form_says_so_beside_what_it_saved() -> None:
    draft = Draft()
    draft.set("name", "\u043eps")
    draft.set("server_host", "mail.example.org")
    draft.set("use_authentication", False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = draft.save()
    assert ("good", "Saved as '\u043eps'.") in said
    assert [kind for kind, text in said if "mixes Latin and Cyrillic" in text] == ["warn"]


def test_a_file_with_such_a_name_is_left_and_named(own_config: object) -> None:
    keep("plain")
    path = connections.folder / "odd.json"
    path.write_text(json.dumps({"name": "o\u200bps", "server_host": "mail.example.org"}))
    path.chmod(0o600)
    [problem] = connections.problems()
    assert problem.path == path
    assert "U+200B" in problem.message
    assert "is invisible" in problem.message
    assert list(connections) == ["plain"]
