"""Who a message is for: names with commas, lists pasted from elsewhere, and each address once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.compose import compose
from mailconn_jupyter.message.mime.mailboxes import mailboxes
from tests.support.composed import travelled


def read(given_people: Any) -> list[tuple[str, str]]:
    return [(one.name, one.address.text) for one in mailboxes(given_people, "recipient")]


def test_a_text_of_a_list_that_is_one_mailbox_may_have_a_comma_in_its_name() -> None:
    assert read(["Müller, Ana <a@b.c>", "d@e.f"]) == [("Müller, Ana", "a@b.c"), ("", "d@e.f")]
    assert read(("Smith, John, Jr. <j@b.c>",)) == [("Smith, John, Jr.", "j@b.c")]
    message = travelled(compose(["Müller, Ana <a@b.c>", "Smith, Bob <b@b.c>"], "x"))
    assert [(one.display_name, one.addr_spec) for one in message["To"].addresses] == [
        ("Müller, Ana", "a@b.c"),
        ("Smith, Bob", "b@b.c"),
    ]


def test_a_text_of_a_list_that_has_several_addresses_is_still_read_as_several() -> None:
    expected = [("", "a@b.c"), ("Ana", "d@e.f")]
    assert read(["a@b.c, Ana <d@e.f>"]) == read("a@b.c, Ana <d@e.f>") == expected
    assert read(["Bob <a@b.c>, Ana <d@e.f>"]) == [("Bob", "a@b.c"), ("Ana", "d@e.f")]


@pytest.mark.parametrize(
    "people", ["Ana, B <ana@x.org>", "Smith, John, Jr. <j@x.org>", ["a@b.c, Smith, Ana <ana@x.org>"]]
)
def test_an_unquoted_name_with_a_comma_is_refused_and_the_hint_is_to_quote_it(people: Any) -> None:
    with pytest.raises(MessageError, match=r"'(Ana|Smith)' is not a valid mail address") as caught:
        mailboxes(people, "recipient")
    assert '"Smith, Ana" <ana@example.org>' in caught.value.hint


@pytest.mark.parametrize(
    "people", ["a@b.c; d@e.f", "Ana <a@b.c>; Bob <d@e.f>", "Ana <a@b.c>; d@e.f", "a@b.c;", ["a@b.c;d@e.f"]]
)
def test_semicolons_between_addresses_are_refused_and_the_hint_is_to_use_commas(people: Any) -> None:
    with pytest.raises(MessageError, match="is not a valid mail address") as caught:
        mailboxes(people, "recipient")
    assert caught.value.hint == "Separate addresses by commas, not by semicolons."
    with pytest.raises(MessageError) as caught:
        mailboxes('"Ana; B" <nobody>', "recipient")
    assert "semicolon" not in caught.value.hint


def test_an_address_stands_once_in_a_field_and_as_it_was_first_given() -> None:
    message = compose("Ana <a@b.c>, A@b.c, a@B.C, d@e.f", "x", cc="a@b.c, a@b.c")
    assert message["To"] == "Ana <a@b.c>, A@b.c, d@e.f"
    assert message["Cc"] == "a@b.c"


signs = st.one_of(st.sampled_from(list(' @.<>",;:()\\\r\n\0ab')), st.characters())


@settings(max_examples=400)
@given(st.text(signs, max_size=25))
@example("eve@evil.test, x")
@example('x", <eve@evil.test>, "y')
@example("eve@evil.test; x")
@example("x <eve@evil.test>, y")
def test_a_name_put_before_an_address_hides_no_recipient(name: str) -> None:
    """Who composes ``f"{name} <{address}>"`` gets that address, others only where the text shows them, or an error."""
    for people in ([f"{name} <ana@example.org>"], f"{name} <ana@example.org>"):
        try:
            message = compose(people, "x")
        except MessageError:
            continue
        found = [one.addr_spec for one in travelled(message)["To"].addresses]
        assert found[-1] == "ana@example.org"
        assert len(found) == len(mailboxes(people, "recipient"))
        assert len(found) <= 1 + name.count("@")
