from __future__ import annotations

import email
import email.policy
import subprocess
import sys
import warnings
from typing import Any

import pytest
from hypothesis import given, strategies

from mailconn_jupyter.errors import MailConnWarning, MessageError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.wire_format import as_bytes
from mailconn_jupyter.message.render import HTML, File, Options, Part, register, unregister
from tests.support.composed import ATTACKS, arrived, attached, harmless, html_of, tags_of, text_of, travelled, words_of

# Everything that a page can show: no halves of surrogate pairs, no controls but the ends of lines and tabs.
TEXTS = strategies.text(
    strategies.characters(
        exclude_categories=["Cs", "Cc"], include_characters="\r\n\t", exclude_characters="\ufffe\uffff"
    ),
    max_size=300,
)
LINES = strategies.text(strategies.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)
LANGUAGES = (
    "Übergrößenträger",
    "日本語の件名です",
    "نتائج الأسبوع",
    "Отчёт за неделю",
    "สวัสดีชาวโลก",
    "👩‍👩‍👧 family",
    "שלום",
)


def test_a_text_alone_is_one_plain_part() -> None:
    message = arrived("Hello Ana,\n\nthree things moved.")
    assert message.get_content_type() == "text/plain"
    assert text_of(message) == "Hello Ana,\n\nthree things moved.\n"


def test_a_message_has_a_date_a_sender_and_a_message_id_of_the_senders_domain() -> None:
    message = arrived("x", sender="Bob Müller <bob@bücher.example>")
    assert message["Date"].datetime.utcoffset() is not None
    assert str(message["From"]) == "Bob Müller <bob@xn--bcher-kva.example>"
    assert message["Message-ID"].endswith("@xn--bcher-kva.example>")


def test_no_two_messages_have_the_same_message_id() -> None:
    assert len({compose("ana@example.org", "x")["Message-ID"] for _ in range(200)}) == 200


def test_without_a_sender_there_is_no_from_so_that_the_session_adds_its_own() -> None:
    message = compose("ana@example.org", "x", "y")
    assert message["From"] is None
    assert message["Message-ID"].endswith("@mailconn.invalid>")


def test_one_text_with_commas_and_a_list_name_the_same_recipients() -> None:
    as_text = compose('"Smith, Ana" <ana@example.org>, bob@example.org', "x")
    as_list = compose(['"Smith, Ana" <ana@example.org>', "bob@example.org"], "x")
    for message in (as_text, as_list):
        found = message["To"].addresses
        assert [(one.display_name, one.addr_spec) for one in found] == [
            ("Smith, Ana", "ana@example.org"),
            ("", "bob@example.org"),
        ]


@pytest.mark.parametrize(
    "address",
    [
        "ana",
        "ana@",
        "Smith, Ana <ana@example.org>",
        "ana@example.org bob@example.org",
        "ana@example.org <bob@example.org>",
        "Ana <ana@example.org> ORCPT=x",
        "ana@example.org\r\nBcc: eve@example.org",
        '"open <ana@example.org>',
        "ana@example.org; bob@example.org",
        b"ana@example.org",
        7,
        [None],
        {"ana@example.org": "Ana"},
    ],
)
def test_what_is_not_an_address_is_refused(address: Any) -> None:
    for field in ({"to": address}, {"to": "a@example.org", "cc": address}, {"to": "a@example.org", "sender": address}):
        with pytest.raises(MessageError):
            compose(**field, subject="x")


def test_a_message_to_nobody_is_refused() -> None:
    with pytest.raises(MessageError, match="no recipient"):
        compose("", "x")
    assert compose("", "x", bcc="ana@example.org")["Bcc"] == "ana@example.org"


def test_bcc_is_there_for_the_envelope_and_not_in_what_is_sent() -> None:
    message = compose("ana@example.org", "x", "y", cc="c@example.org", bcc=["Eve <eve@example.org>", "f@example.org"])
    assert [one.addr_spec for one in message["Bcc"].addresses] == ["eve@example.org", "f@example.org"]
    data = as_bytes(message, utf8=False, eight_bit=True)
    assert b"eve@" not in data
    assert b"Cc: c@example.org" in data


def test_replies_priority_importance_and_sensitivity_become_headers() -> None:
    message = arrived(
        reply_to="team@example.org",
        priority="high",
        importance="High",
        sensitivity="confidential",
        headers={"X-Run": "47"},
    )
    assert message["Reply-To"] == "team@example.org"
    assert (message["X-Priority"], message["Priority"]) == ("2 (High)", "urgent")
    assert (message["Importance"], message["Sensitivity"]) == ("high", "Company-Confidential")
    assert message["X-Run"] == "47"
    assert compose("ana@example.org", "x", priority=1)["X-Priority"] == "1 (Highest)"


def test_an_unknown_priority_names_the_known_ones() -> None:
    with pytest.raises(MessageError) as caught:
        compose("ana@example.org", "x", priority="hihg")
    assert "Did you mean 'high'?" in caught.value.message
    assert "lowest" in caught.value.hint


def test_headers_add_and_replace_only_what_is_not_ours() -> None:
    message = compose(
        "a@example.org", "x", headers={"Message-ID": "<own@example.org>", "References": ["<a@b.c>", "<d@e.f>"]}
    )
    assert message.get_all("Message-ID") == ["<own@example.org>"]
    assert message.get_all("References") == ["<a@b.c> <d@e.f>"]
    for name in ("Subject", "to", "Bcc", "Content-Type", "MIME-Version", "X Y", "X:", ""):
        with pytest.raises(MessageError):
            compose("a@example.org", "x", headers={name: "y"})
    with pytest.raises(MessageError, match="line break"):
        compose("a@example.org", "x", headers={"X-A": "1\r\nBcc: eve@example.org"})


def test_a_subject_with_a_line_break_is_refused_and_a_wrong_order_of_arguments_told() -> None:
    with pytest.raises(MessageError, match="line break"):
        compose("a@example.org", "x\nBcc: eve@example.org")
    with pytest.raises(MessageError, match=r"The subject must be text, not \[") as caught:
        compose("a@example.org", ["x"])  # type: ignore[arg-type]  # it is wrong on purpose
    assert "The order is" in caught.value.hint


@pytest.mark.parametrize("text", LANGUAGES)
def test_every_language_arrives_in_subject_names_text_and_file_names(text: str) -> None:
    message = travelled(
        compose(
            f'"{text}" <ana@example.org>',
            text,
            text,
            sender=f"{text} <b@example.org>",
            attachments={f"{text}.txt": text},
        )
    )
    assert message["Subject"] == text
    assert message["To"].addresses[0].display_name == text
    assert message["From"].addresses[0].display_name == text
    assert text_of(message) == f"{text}\n"
    assert attached(message) == {f"{text}.txt": text.encode()}


@given(TEXTS)
def test_any_text_arrives_as_it_was(text: str) -> None:
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert text_of(arrived(text)) == f"{expected}\n"


@given(LINES)
def test_any_subject_arrives_as_it_was(subject: str) -> None:
    assert arrived("x", subject=subject)["Subject"] == subject


@given(LINES.filter(lambda name: name.strip() == name))
def test_any_name_arrives_as_it_was(name: str) -> None:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    message = travelled(compose(f'"{escaped}" <ana@example.org>, bob@example.org', "x"))
    assert [one.addr_spec for one in message["To"].addresses] == ["ana@example.org", "bob@example.org"]
    shown = message["To"].addresses[0].display_name
    # Python's parser keeps the folds between encoded words of a name, which RFC 2047, 6.2 has it drop.
    assert shown == name or shown.replace(" ", "") == name.replace(" ", "")


@given(LINES, LINES)
def test_any_header_value_is_one_header(subject: str, value: str) -> None:
    message = arrived("x", subject=subject, headers={"X-Any": value})
    assert message["X-Any"] == value
    assert set(message.keys()) <= {
        "Date", "From", "To", "Subject", "Message-ID", "X-Any", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"
    }  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_a_text_or_a_subject_is_shown_and_not_obeyed(attack: str) -> None:
    message = arrived(attack, {"a": 1}, subject=attack)
    assert harmless(html_of(message))
    assert attack in words_of(html_of(message))
    assert message["Subject"] == attack
    assert attack in text_of(message)


def test_parts_stand_in_order_in_both_forms() -> None:
    message = arrived("first", {"key": "second"}, "third")
    for body in (text_of(message), words_of(html_of(message))):
        assert body.index("first") < body.index("second") < body.index("third")


def test_the_tree_has_only_the_levels_that_it_needs() -> None:
    image = Part("[Image]", '<img src="cid:x">', files=(File("a.bin", b"\0\1"),))
    message = arrived("x", image)
    assert message.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/octet-stream",
    ]


def test_a_page_gives_ground_and_letters_and_says_that_it_is_light() -> None:
    tags = tags_of(html_of(arrived({"a": 1})))
    assert ("meta", {"name": "color-scheme", "content": "light only"}) in tags
    body = next(attributes for tag, attributes in tags if tag == "body")
    assert "background:#ffffff" in body["style"]
    assert "color:#1b1b1b" in body["style"]


def test_long_lines_and_lines_of_the_mbox_format_arrive_as_they_were() -> None:
    text = f"From here on\n{'x' * 5000}\n.\n..\n From\nFrom {'é' * 2000}"
    message = compose("ana@example.org", "x", text)
    data = as_bytes(message, utf8=False, eight_bit=False)
    assert b"\r\nFrom here" not in data
    assert text_of(travelled(message)) == f"{text}\n"


def test_a_line_that_begins_with_from_never_travels_as_it_is() -> None:
    message = compose("ana@example.org", "x", "one\nFrom two", attachments={"a.txt": "one\r\nFrom two\r\n"})
    data = as_bytes(message, utf8=False, eight_bit=False)
    assert data.count(b"\nFrom ") == 0
    assert text_of(travelled(message)) == "one\nFrom two\n"
    assert attached(travelled(message)) == {"a.txt": b"one\r\nFrom two\r\n"}


def test_a_text_that_looks_like_an_encoded_word_stays_what_it_is() -> None:
    word = "=?utf-8?q?=0D=0ABcc:_eve=40example.org?="
    message = travelled(compose(f"{word} <ana@example.org>", word, "x", headers={"X-A": word}))
    assert (message["Subject"], message["X-A"], message["To"].addresses[0].display_name) == (word, word, word)
    assert message["Bcc"] is None


def test_the_shortest_encoding_is_chosen() -> None:
    for text, encoding in (("plain", "7bit"), ("naïve text in French", "quoted-printable"), ("日本語" * 30, "base64")):
        assert arrived(text)["Content-Transfer-Encoding"] == encoding


def test_fifty_megabytes_are_refused_with_what_is_large() -> None:
    with pytest.raises(MessageError) as caught:
        compose("ana@example.org", "x", "small", attachments={"big.bin": bytes(50_000_000), "small.bin": b"1"})
    assert "68.4 MB" in caught.value.message
    assert "25.0 MB" in caught.value.message
    assert "big.bin" in caught.value.message
    assert "zip" in caught.value.hint


def test_the_limit_is_the_callers() -> None:
    with pytest.raises(MessageError, match=r"more than the 1\.0 kB"):
        compose("ana@example.org", "x", "word " * 500, limit=1000)
    data = bytes(30_000_000)
    assert attached(compose("ana@example.org", "x", attachments={"big.bin": data}, limit=None)) == {"big.bin": data}


def test_fifty_megabytes_of_text_are_a_beginning_and_an_attachment() -> None:
    with pytest.raises(MessageError, match=r"text\.txt \("):
        compose("ana@example.org", "x", "line of text\n" * 4_000_000)
    text = "line of text\n" * 10_000
    message = arrived(text)
    assert attached(message)["text.txt"].decode() == text
    assert len(html_of(message)) < 100_000
    assert "the whole text (130.0 kB) is in text.txt" in text_of(message)


def test_none_is_an_error_that_says_which_content_it_is() -> None:
    with pytest.raises(MessageError, match=r"Content 2 of 2: .* None"):
        compose("ana@example.org", "x", "y", None)


def test_a_renderer_of_ones_own_goes_before_the_built_in_ones() -> None:
    def shout(value: Any, options: Options) -> Part:
        return Part(str(value).upper())

    for kind in (str, "builtins.str", lambda value: isinstance(value, str)):
        register(kind, shout)
        try:
            assert text_of(arrived("quiet")) == "QUIET\n"
        finally:
            unregister(shout)
    assert text_of(arrived("quiet")) == "quiet\n"


def test_a_renderer_that_gives_no_part_is_named() -> None:
    def wrong(value: Any, options: Options) -> Any:
        return "text"

    register(complex, wrong)
    try:
        with pytest.raises(MessageError, match="complex returned str"):
            compose("ana@example.org", "x", 1j)
    finally:
        unregister(wrong)
    with pytest.raises(TypeError):
        register(7, wrong)  # type: ignore[arg-type]  # it is wrong on purpose


def test_what_is_lost_is_warned_of_where_the_caller_stands() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compose("ana@example.org", "x", HTML('<p>text<img src="https://tracker.example/x.png"></p>'))
    assert [one.category for one in caught] == [MailConnWarning]
    assert caught[0].filename == __file__


def test_composing_imports_neither_ipython_nor_any_library_of_results() -> None:
    code = (
        "import sys; from mailconn_jupyter.message.compose import compose;"
        "compose('a@example.org', 'x', 'text', {'a': 1}, [1, 2], ValueError('x'));"
        "heavy = {'IPython', 'pandas', 'numpy', 'matplotlib', 'PIL', 'polars', 'pyarrow', 'plotly', 'altair', 'nh3',"
        " 'css_inline', 'jinja2', 'ipywidgets', 'keyring', 'socket', 'ssl'};"
        "print(sorted(heavy & set(sys.modules) - {'socket'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_message_can_be_parsed_by_the_old_policy_too() -> None:
    data = as_bytes(compose("Ána <ana@example.org>", "Größe", "x"), utf8=False, eight_bit=False)
    old = email.message_from_bytes(data, policy=email.policy.compat32)
    assert old["Subject"] == "=?utf-8?b?R3LDtsOfZQ==?="
