"""What is public: the names, their keywords, and what a mistake in them is told."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.errors import UnknownKeyword
from mailconn_jupyter.extras import install
from tests.servers import Certificates, Dovecot
from tests.support.reading import to_dovecot
from tests.support.shells import keep

FUNCTIONS = [name for name in dir(mailconn) if inspect.isfunction(getattr(mailconn, name)) and "ipython" not in name]


def keywords_of(function: Any) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(function).parameters
    return {name: one for name, one in parameters.items() if one.kind is inspect.Parameter.KEYWORD_ONLY}


def said_to_type_checkers() -> set[str]:
    """The names that the package imports for a type checker alone, each under its own name: so it is public there."""
    tree = ast.parse(Path(mailconn.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    aliases = [alias for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert all(alias.asname in {None, alias.name} for alias in aliases)
    return {alias.name for alias in aliases if alias.asname}


def test_the_public_names_are_all_that_is_shown_and_what_type_checkers_know() -> None:
    assert dir(mailconn) == sorted(mailconn.__all__)
    assert said_to_type_checkers() | {"load_ipython_extension", "unload_ipython_extension"} == set(mailconn.__all__)


def test_what_is_documented_or_returned_is_public() -> None:
    assert set(mailconn.__all__) >= {
        "DeliveryUnknown",
        "GraphSession",
        "IMAPSession",
        "LinkLost",
        "MBOXSession",
        "MessageError",
        "Outcome",
        "POP3Session",
        "Part",
        "Refused",
        "Settings",
        "forget_password",
        "preview",
        "unregister",
    }
    for name in FUNCTIONS:
        returned = re.findall(r"\w+", str(inspect.signature(getattr(mailconn, name)).return_annotation))
        assert classes_of_the_package() & {*returned} <= {*mailconn.__all__}, name


def classes_of_the_package() -> set[str]:
    modules = [module for name, module in sys.modules.items() if name.startswith("mailconn_jupyter.")]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    classes = {value.__name__ for value in found if value.__module__.startswith("mailconn_jupyter.")}
    return classes - {"AnySession"}  # for type checkers alone


def test_without_the_extra_for_imap_the_rest_is_there_and_the_name_says_what_it_needs() -> None:
    code = """if True:
        import sys
        sys.modules["imap_tools"] = None
        import mailconn_jupyter as mailconn
        from mailconn_jupyter import *
        print("IMAPSession" in mailconn.__all__, "IMAPSession" in dir(mailconn), POP3Session.__name__, send.__name__)
        print(hasattr(mailconn, "IMAPSession"), mailconn.connect_imap.__name__)
        try:
            mailconn.IMAPSession
        except AttributeError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "False False POP3Session send",
        "False connect_imap",
        f"IMAPSession needs imap_tools, which is not installed. Run: %{install('imap')}",
    ]


def test_importing_the_package_imports_none_of_its_rooms() -> None:
    code = "import sys; before = set(sys.modules); import mailconn_jupyter; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if name.startswith("mailconn")} == {"mailconn_jupyter"}


@pytest.mark.parametrize("name", [*FUNCTIONS, "sandbox.start", "Template", "MailConnection", "connections.save"])
def test_a_misspelt_keyword_is_told_with_the_function_that_was_called(name: str) -> None:
    function: Any = mailconn
    for part in name.split("."):
        function = getattr(function, part)
    with pytest.raises(UnknownKeyword) as info:
        function(zzz=1)
    assert info.value.message == f"{name.rpartition('.')[2]}() has no keyword 'zzz'."
    known = [one.name for one in inspect.signature(function).parameters.values() if one.kind is not one.VAR_POSITIONAL]
    if known:
        word = max(known, key=len)
        with pytest.raises(UnknownKeyword) as info:
            function(**{word + "s": 1})
        assert info.value.message.endswith(f"has no keyword {word + 's'!r}. Did you mean {word!r}?")


def test_the_keywords_of_send_are_those_of_compose() -> None:
    composed, sent = keywords_of(mailconn.compose), keywords_of(mailconn.send)
    own = ["sign", "encrypt", "bounce_to", "notify", "ret", "envid", "dry_run"]
    assert list(sent) == [*composed, *own]
    assert {name: sent[name] for name in composed} == composed


def test_the_keywords_of_save_draft_are_those_of_compose() -> None:
    assert keywords_of(mailconn.save_draft) == keywords_of(mailconn.compose)


def test_the_keywords_of_send_notebook_are_those_of_send_and_its_own() -> None:
    sent, whole = keywords_of(mailconn.send), keywords_of(mailconn.send_notebook)
    own = ["subject", "code", "attach", "execute", "parameters", "on_error"]
    assert list(whole) == [*own, *sent]
    assert {name: whole[name] for name in sent} == sent


def test_the_keywords_of_to_frame_are_those_of_messages_but_that_headers_are_enough() -> None:
    read, framed = keywords_of(mailconn.messages), keywords_of(mailconn.to_frame)
    # Of a table's texts one may want to see all, too.
    assert list(framed) == ["text", *(name for name in read if name != "text")]
    assert {name for name in read if framed[name] != read[name]} == {"body", "text"}
    assert framed["body"].default is None


PROTOCOLS = {
    "SMTP": "connect_smtp",
    "IMAP": "connect_imap",
    "POP3": "connect_pop3",
    "MBOX": "open_mbox",
    "GRAPH": "connect_graph",
}


@pytest.mark.parametrize("opener", PROTOCOLS.values())
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_of_another_protocol_is_refused_before_anything_is_opened(protocol: str, opener: str) -> None:
    if PROTOCOLS[protocol] == opener:
        return
    connection = mailconn.MailConnection(name="ops", protocol=protocol, server_host="host.invalid")
    with pytest.raises(mailconn.OptionError) as info:
        getattr(mailconn, opener)(connection)
    wanted = next(name for name, function in PROTOCOLS.items() if function == opener)
    assert info.value.message == f"ops: the protocol is {protocol}, not {wanted}."
    no_smtp = " Its session sends, but is not an smtplib.SMTP." if protocol == "GRAPH" else ""
    assert info.value.hint == f"{PROTOCOLS[protocol]}() opens it.{no_smtp}"


def test_each_opener_opens_its_own_protocol_by_name_or_by_default(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.write_bytes(b"From ana@example.org Mon Jan  1 00:00:00 2024\nSubject: one\n\nbody\n")
    keep("archive", protocol="MBOX", server_host=str(box))
    for target in "archive", None:
        with mailconn.open_mbox(target) as session:
            assert isinstance(session, mailconn.MBOXSession)
            assert session[0]["Subject"] == "one"
            assert session.readonly
    sandbox = mailconn.sandbox.start()
    try:
        with mailconn.connect_smtp(sandbox.name) as smtp:
            assert type(smtp) is mailconn.SMTPSession
    finally:
        sandbox.stop()
    with pytest.raises(mailconn.UnknownConnection):
        mailconn.connect_smtp("opps")


def test_a_mailbox_of_a_real_server_is_opened_by_either_protocol(dovecot: Dovecot, certificates: Certificates) -> None:
    with mailconn.connect_imap(to_dovecot("IMAP", dovecot, certificates), readonly=True) as inbox:
        assert type(inbox) is mailconn.IMAPSession
        assert inbox.folder.get() == "INBOX"
    with mailconn.connect_pop3(to_dovecot("POP3", dovecot, certificates)) as pop:
        assert type(pop) is mailconn.POP3Session
        assert pop.stat()[0] >= 0
