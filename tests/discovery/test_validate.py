"""Which addresses can be mailed to: by their form, and by what a real little name server says of their domains."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.discovery import validate as module
from mailconn_jupyter.errors import MailConnError, OptionError
from tests.servers.dns_server import SILENT, TROUBLE, TRUNCATED, NameServer, resolving
from tests.support.lookups import lookups
from tests.support.shells import interrupt_after

COLUMNS = ["address", "valid", "why", "did_you_mean"]
RECORDS: dict[str, tuple[str, ...] | str] = {
    "example.org": ("MX 10 mail.example.org.", "MX 5 first.example.org."),
    "implicit.example": ("A 192.0.2.7",),
    "six.example": ("AAAA 2001:db8::7",),
    "null.example": ("MX 0 .",),
    "half-null.example": ("MX 0 .", "MX 10 mail.example.org."),
    "empty.example": (),
    "silent.example": SILENT,
    "trouble.example": TROUBLE,
    "long.example": TRUNCATED,
    "gmial.com": ("MX 10 mx.parked.example.",),
    "gmail.com": ("MX 10 gmail-smtp-in.l.google.com.",),
    "xn--bcher-kva.example": ("MX 10 mail.example.org.",),
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    with resolving(RECORDS) as running:
        yield running


def told(address: Any, **options: Any) -> dict[str, Any]:
    (row,) = mailconn.validate([address], **options).to_dict("records")
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}


@pytest.mark.parametrize(
    ("domain", "valid", "why"),
    [
        ("example.org", True, ""),
        ("EXAMPLE.ORG", True, ""),
        ("implicit.example", True, ""),
        ("six.example", True, ""),
        ("half-null.example", True, ""),
        ("long.example", True, ""),
        ("bücher.example", True, ""),
        ("null.example", False, "The domain null.example says that it takes no mail (RFC 7505)."),
        ("empty.example", False, "has no mail server: neither an MX record nor an address"),
        ("nowhere.example", False, "There is no domain nowhere.example."),
        ("trouble.example", None, "Unknown: DNS gave no answer about trouble.example."),
        ("localhost", None, "Unknown: localhost is not a public domain name."),
        ("[192.0.2.7]", None, "Unknown: [192.0.2.7] is not a public domain name."),
    ],
)
def test_a_domain_takes_mail_as_its_dns_says(domain: str, valid: bool | None, why: str, server: NameServer) -> None:
    row = told(f"ana@{domain}")
    assert row["valid"] is valid
    assert (why in row["why"]) if why else row["why"] == ""


def test_a_domain_that_does_not_answer_is_not_invalid_and_holds_nobody_up(server: NameServer) -> None:
    started = time.monotonic()
    frame = mailconn.validate(["ana@silent.example", "bea@example.org"], deadline=1.5)
    assert time.monotonic() - started < 10
    assert frame["valid"].tolist() == [pd.NA, True]
    assert frame["why"][0] == "Unknown: DNS gave no answer about silent.example."


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ana", "is not a valid mail address"),
        ("ana@", "is not a valid mail address"),
        ("a b@example.org", "is not a valid mail address"),
        ("ana@example.org, bea@example.org", "is not a valid mail address"),
        ("ana@example..org", "is not a valid mail address"),
        ("ana@exa mple.org", "is not a valid mail address"),
        ("ana@example.org\nBcc: all@example.org", "line break"),
        ("ana\u200b@example.org", "zero width space"),
        ("\ud800@example.org", "control character"),
        (f"{'a' * 65}@example.org", "over 64 bytes"),
        (f"ana@{'a' * 64}.org", "is not a valid mail address"),
        ("", "There is no address."),
        ("  ", "There is no address."),
    ],
)
def test_what_is_not_one_address_is_told_as_when_it_is_sent_to(address: str, why: str, server: NameServer) -> None:
    row = told(address)
    assert row["valid"] is False
    assert why in row["why"]
    assert not server.asked


def test_a_slip_is_told_whether_or_not_somebody_has_registered_it(server: NameServer) -> None:
    assert told("ana@gmial.com") == {
        "address": "ana@gmial.com",
        "valid": True,
        "why": "",
        "did_you_mean": "ana@gmail.com",
    }
    row = told("Ana <ana@hotmial.com>")
    assert (row["valid"], row["did_you_mean"]) == (False, "ana@hotmail.com")
    assert told("ana@gmail.com")["did_you_mean"] is None
    assert told("ana@hotmial.com", mx=False) == {
        "address": "ana@hotmial.com",
        "valid": True,
        "why": "",
        "did_you_mean": "ana@hotmail.com",
    }


def test_without_mx_nothing_is_asked_of_anybody(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dns.asyncresolver", None)
    monkeypatch.setitem(sys.modules, "dns", None)
    with lookups() as heard:
        frame = mailconn.validate(["ana@example.org", "ana"], mx=False)
    assert frame["valid"].tolist() == [True, False]
    assert not heard
    assert not server.asked


def test_each_domain_is_asked_for_once_and_no_mail_server_at_all(server: NameServer) -> None:
    with lookups() as heard:
        mailconn.validate(
            [f"u{n}@{domain}" for n in range(50) for domain in ("example.org", "Example.ORG", "six.example")]
        )
    assert server.asked == {
        ("example.org", "MX"): 1,
        ("six.example", "MX"): 1,
        ("six.example", "A"): 1,
        ("six.example", "AAAA"): 1,
    }
    assert not heard


def test_a_series_keeps_its_index_and_gaps_are_no_addresses(server: NameServer) -> None:
    given = pd.Series(["ana@example.org", None, np.nan, pd.NA, pd.NaT, "x"], index=list("abcdef"), dtype="object")
    frame = mailconn.validate(given)
    assert list(frame.columns) == COLUMNS
    assert list(frame.index) == list("abcdef")
    assert frame["valid"].tolist() == [True, False, False, False, False, False]
    assert frame["why"].tolist()[1:5] == ["There is no address."] * 4
    assert frame["address"].isna().tolist() == [False, True, True, True, True, False]
    assert str(frame["valid"].dtype) == "boolean"
    df = pd.DataFrame({"email": given})
    assert df[mailconn.validate(df["email"])["valid"].fillna(value=True)]["email"].tolist() == ["ana@example.org"]


@pytest.mark.parametrize(
    "given",
    [
        "ana@example.org",
        ["ana@example.org"],
        ("ana@example.org",),
        iter(["ana@example.org"]),
        np.array(["ana@example.org"]),
        np.array(["ana@example.org"], dtype=object),
        [np.str_("ana@example.org")],
        pd.Series(["ana@example.org"], dtype="string"),
        pd.Series(["ana@example.org"], dtype="category"),
        pd.Index(["ana@example.org"]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_addresses_may_come_in_whatever_holds_texts(given: Any, server: NameServer) -> None:
    frame = mailconn.validate(given)
    assert frame["address"].tolist() == ["ana@example.org"]
    assert frame["valid"].tolist() == [True]


def test_what_is_no_text_is_told_with_what_it_is(server: NameServer) -> None:
    frame = mailconn.validate([7, 1.5, b"ana@example.org", ["ana@example.org"], "7"])
    assert frame["valid"].tolist() == [False] * 5
    assert frame["why"].tolist()[:3] == [f"An address is text, not {name}." for name in ("int", "float", "bytes")]
    assert frame["address"].tolist()[:2] == ["7", "1.5"]


@pytest.mark.parametrize("given", [7, None, b"ana@example.org", {"a": 1}, pd.DataFrame({"email": ["a"]})])
def test_what_holds_no_addresses_is_an_error(given: Any) -> None:
    with pytest.raises(OptionError, match="takes addresses, not"):
        mailconn.validate(given)


@pytest.mark.parametrize("deadline", [0, -1, float("nan"), "soon", None, True])
def test_a_deadline_is_a_number_of_seconds(deadline: Any) -> None:
    with pytest.raises(OptionError, match="deadline must be a number of seconds"):
        mailconn.validate([], deadline=deadline)


def test_none_at_all_gives_an_empty_table(server: NameServer) -> None:
    frame = mailconn.validate([])
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 0


def test_without_dnspython_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dns", None)
    monkeypatch.setitem(sys.modules, "dns.asyncresolver", None)
    monkeypatch.setitem(sys.modules, "dns.resolver", None)
    with pytest.raises(MailConnError, match="dnspython, which is not installed") as caught:
        mailconn.validate(["ana@example.org"])
    assert "mx=False" in caught.value.hint


def test_a_machine_without_a_name_server_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "resolver", lambda: None)
    with pytest.raises(MailConnError, match="names no server for DNS"):
        mailconn.validate(["ana@example.org"])


def test_a_hundred_thousand_rows_of_few_domains_ask_few_questions(server: NameServer) -> None:
    domains = ["example.org", "gmail.com", "gmial.com", "nowhere.example", "null.example"]
    given = pd.Series([f"u{n}@{domains[n % 5]}" for n in range(100_000)])
    frame = mailconn.validate(given)
    assert frame["valid"].value_counts().to_dict() == {True: 60_000, False: 40_000}
    assert sum(server.asked.values()) == 5
    assert frame["did_you_mean"].notna().sum() == 20_000


def test_thousands_of_domains_are_asked_for_side_by_side(server: NameServer) -> None:
    told_of: list[tuple[int, float]] = []
    given = [f"ana@d{n}.example" for n in range(2_000)]
    frame = mailconn.validate(given, deadline=60, progress=lambda *said: told_of.append(said))
    assert not frame["valid"].any()
    assert len(server.asked) == 2_000
    assert told_of[-1] == (2_000, 1.0)


def test_the_stop_button_ends_it_at_once(server: NameServer) -> None:
    started = time.monotonic()
    with interrupt_after(0.5), pytest.raises(KeyboardInterrupt):
        mailconn.validate(["ana@silent.example"])
    assert time.monotonic() - started < 4


def test_it_runs_beside_the_loop_of_a_kernel(server: NameServer) -> None:

    async def cell() -> list[Any]:
        found: list[Any] = mailconn.validate(["ana@example.org"])["valid"].tolist()
        return found

    assert asyncio.run(cell()) == [True]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_can_ask_as_well(server: NameServer) -> None:
    mailconn.validate(["ana@example.org"])
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if mailconn.validate(["bea@example.org"])["valid"].tolist() == [True] else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
