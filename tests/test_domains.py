"""Domains beyond ASCII, by IDNA 2008 as people write them (RFC 5891, UTS #46)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mailconn_jupyter.domains import ascii_domain
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.addresses import envelope_address


@pytest.mark.parametrize(
    ("written", "carried"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        # The standard of 2003 had strasse here, which is somebody else's.
        ("straße.example", "xn--strae-oqa.example"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("نامه‌ای.com", "xn--mgba3gch31f060k.com"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("münchen.de.", "xn--mnchen-3ya.de."),
        ("Mail_1.example.org", "Mail_1.example.org"),
    ],
)
def test_a_domain_is_carried_as_its_registry_has_it(written: str, carried: str) -> None:
    assert ascii_domain(written) == carried


@pytest.mark.parametrize(
    "written",
    [
        "☃.example",
        "xn--.example",
        "xn--a.example",
        "-a-ü.example",
        "ab--ü.example",
        "example.org\N{RIGHT SINGLE QUOTATION MARK}",
        "ü" * 70 + ".example",
        "a..ü",
        "\u0300ü.example",
        "א1ü.example",
        "a\u200cü.example",
    ],
)
def test_what_no_registry_takes_is_no_domain(written: str) -> None:
    with pytest.raises(UnicodeError):
        ascii_domain(written)
    with pytest.raises(MessageError, match="is not a valid mail address"):
        envelope_address(f"ana@{written}")


def test_the_tables_are_not_loaded_for_a_domain_in_ascii() -> None:
    code = "import sys; from mailconn_jupyter.domains import ascii_domain; ascii_domain('example.org'); print('idna' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
