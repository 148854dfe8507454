"""``%mailconn find`` in a real IPython."""

from __future__ import annotations

import re
import time

import pytest

from mailconn_jupyter.discovery.discover import discover
from mailconn_jupyter.store import connections
from tests.discovery import test_discover
from tests.discovery.test_discover import Names
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.support import shells
from tests.support.shells import Shell, interrupt_after, keep, silent_server

shell = shells.shell
clean_up = shells.clean_up
names = test_discover.names


def next_line(text: str) -> str:
    """The line that the magic says to type, for a connection called found."""
    found = re.search(r"%mailconn new NAME .*", text)
    assert found is not None
    return found.group().replace("NAME", "found", 1)


@pytest.mark.parametrize("address", ["ana@gmail.com", "ana@hotmail.de", "ana@web.de", "ana@proton.me", '"a$b@gmx.de"'])
def test_a_proposal_is_shown_with_its_note_and_the_line_that_makes_the_connection(shell: Shell, address: str) -> None:
    settings = discover(address.strip('"'))
    ran = shell.ok(f"%mailconn find {address.replace('$', '$$')}")
    assert f"Server host {' ' * 10}" in ran.text
    assert settings.note in ran.text
    assert str(settings.options["server_host"]) in ran.html
    assert not list(connections)
    shell.ok(next_line(ran.text))
    assert connections["found"] == settings.connection("found")


def test_a_proxy_of_another_connection_goes_into_the_proposal(shell: Shell) -> None:
    via = keep("office", proxy_host="proxy.example.org", proxy_type="HTTP", proxy_username="bo")
    shell.ok(next_line(shell.ok("%mailconn find ana@gmail.com --via Office").text))
    assert connections["found"] == discover("ana@gmail.com", via=via).connection("found")
    assert connections["found"].proxy_username == "bo"


def test_what_is_found_by_trying_is_kept_when_asked(
    shell: Shell, postfix: Postfix, certificates: Certificates, names: Names
) -> None:
    keep("lender", ca_file=str(certificates.ca.pem))
    names["mail.test", 587] = postfix.submission
    ran = shell.ok("%mailconn find alice@mail.test --via lender --save 'new ops'")
    kept = connections["new ops"]
    assert (kept.server_host, kept.port, kept.security, kept.username) == ("mail.test", 587, "TLS", "alice@mail.test")
    assert re.search(r"mail\.test:587 +TLS +works", ran.text)
    assert '%mailconn password "new ops"' in ran.text


def test_another_connection_of_that_name_is_replaced_only_when_asked(shell: Shell) -> None:
    keep("ops", server_port=25)
    assert "already exists" in shell.fails("%mailconn find ana@gmail.com --save ops")
    shell.ok("%mailconn find ana@gmail.com --save ops --replace")
    assert connections["ops"].server_host == "smtp.gmail.com"


def test_the_cell_fails_after_the_table_when_nothing_was_found(shell: Shell, names: Names) -> None:
    ran = shell.run("%mailconn find ana@example.org --save ops")
    assert ran.error is not None
    assert "smtp.example.org, mail.example.org" in ran.html
    assert ran.text.count("use the provider's server") == 1
    assert "ops" not in connections


def test_what_is_no_address_is_said_in_a_line(shell: Shell) -> None:
    assert "not a valid mail address" in shell.fails("%mailconn find ana")
    assert "private" in shell.fails("%mailconn find ana@localhost")
    assert "LMTP" in shell.fails("%mailconn find ana@gmail.com --protocol LMTP")


def test_the_stop_button_ends_the_search_with_a_sentence(shell: Shell, names: Names) -> None:
    with silent_server() as port:
        names["mail.test", 465] = port
        started = time.monotonic()
        with interrupt_after(0.5):
            text = shell.fails("%mailconn find ana@mail.test")
    assert "search for settings was interrupted" in text
    assert time.monotonic() - started < 5


def test_of_a_slip_the_address_that_was_meant_comes_first(shell: Shell, names: Names) -> None:
    ran = shell.run("%mailconn find ana@gmial.com")
    assert ran.error is not None
    assert (
        ran.html.index("Did you mean ana@gmail.com?")
        < ran.html.index("No settings for")
        < ran.html.index("mx.gmial.com")
    )
    assert ran.text.count("mx.gmial.com") == 1
    assert ran.error.hint == "Did you mean ana@gmail.com?"  # type: ignore[attr-defined]  # it is one of ours
