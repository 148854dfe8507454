"""Every secret that is used is looked for in everything that is left behind: nothing may hold it."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.graph import Cut, GraphServer, error
from tests.servers.postfix import MECHANISMS, Postfix
from tests.servers.script import Close, Expect, ScriptServer, Send
from tests.support.shells import Kernel, clean_up, kernel

__all__ = ["clean_up", "kernel"]

GOOD, WRONG, ZOE = "s3cret", "wr0ng-hunter2-Ω", "pässwörd-✓"
VERBOSE = "%xmode Verbose"


def traces(user: str, secret: str) -> Iterator[str]:
    """The secret itself, and the forms in which a protocol would carry it."""
    yield secret
    yield repr(secret)[1:-1]
    yield secret.encode().hex()
    yield urllib.parse.quote(secret, safe="")
    for said in (secret, f"\0{user}\0{secret}", f"user={user}\x01auth=Bearer {secret}\x01\x01"):
        yield base64.b64encode(said.encode()).decode().rstrip("=")


def written(folder: Path) -> Iterator[tuple[str, str]]:
    """Each file below ``folder`` as text; a database, such as IPython's history, as what its tables hold."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".sqlite":
            with sqlite3.connect(path) as database:
                yield f"{path} (dump)", "\n".join(database.iterdump())
            database.close()


def assert_nowhere(seen: str, folder: Path, secrets: list[tuple[str, str]]) -> None:
    places = [("the outputs", seen), *written(folder)]
    assert len(places) > 3
    for user, secret in secrets:
        for trace in traces(user, secret):
            assert [where for where, text in places if trace in text] == [], trace


def make(kernel: Kernel, certificates: Certificates, name: str, port: int, flags: str) -> str:
    where = f"--server-host localhost --server-port {port} --ca-file {certificates.ca.pem}"
    return kernel.run(f"%mailconn new {name} {where} {flags}")


def typed(kernel: Kernel, name: str, secret: str) -> str:
    kernel.answers = [secret]
    return kernel.run(f"%mailconn password {name}")


def looked_at(kernel: Kernel, name: str) -> str:
    """Everything that shows a connection, or an error of it, also with the locals of each frame."""
    cells = [
        f"%mailconn test {name} --verbose",
        "%tb",
        f"smtp = %mailconn connect {name}",
        "%tb",
        "smtp, vars(smtp) if 'smtp' in globals() else None",
        f"import mailconn_jupyter as m\nr = m.check('{name}')\nr, r.transcript, vars(r), m.connections['{name}']",
        f"%mailconn show {name}",
        f"m.connections['{name}'].as_dict()",
        "%mailconn doctor",
        "%mailconn",
    ]
    return "".join(kernel.run(cell) for cell in cells)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_no_secret_is_left_by_any_mechanism_right_or_wrong(
    mechanism: str, kernel: Kernel, own_config: Path, postfix: Postfix, dovecot: Dovecot, certificates: Certificates
) -> None:
    token = mechanism in {"XOAUTH2", "OAUTHBEARER"}
    good, wrong = (dovecot.token("alice"), dovecot.token("alice", expired=True)) if token else (GOOD, WRONG)
    flags = f"--secure-authentication-type SSL --username alice {'--use-xoauth2' if token else ''}"
    seen = kernel.run(VERBOSE)
    seen += make(kernel, certificates, "ops", postfix.only[mechanism], flags)
    for secret in (good, wrong):
        seen += typed(kernel, "ops", secret)
        seen += looked_at(kernel, "ops")
    assert "ready" in seen
    assert "LoginRefused" in seen
    seen += kernel.run("%history -o")
    assert_nowhere(seen, own_config.parent, [("alice", good), ("alice", wrong)])


def test_no_secret_is_left_when_the_link_breaks_within_the_login(
    kernel: Kernel, own_config: Path, certificates: Certificates
) -> None:
    hello = [
        Send(b"220 mail.test\r\n"),
        Expect(rb"ehlo .*"),
        Send(b"250-mail.test\r\n250 AUTH PLAIN\r\n"),
        Expect(rb"AUTH PLAIN .*"),
        Close(reset=True),
    ]
    context = certificates.good.server_context()
    seen = kernel.run(VERBOSE)
    with ScriptServer(*[hello] * 3, tls=context) as server:
        seen += make(kernel, certificates, "ops", server.port, "--secure-authentication-type SSL --username zoe")
        seen += typed(kernel, "ops", ZOE)
        seen += looked_at(kernel, "ops")
    assert "authenticate failed" in seen
    assert_nowhere(seen, own_config.parent, [("zoe", ZOE)])


def test_no_secret_is_left_when_a_library_logs_in_by_itself(kernel: Kernel, own_config: Path, postfix: Postfix) -> None:
    # The password is in a variable, whose name alone is in the cell: the frames of the session must not show it.
    seen = kernel.run(VERBOSE)
    seen += kernel.run("import getpass, mailconn_jupyter as m\nclass Hidden(str):\n    __repr__ = lambda s: '****'")
    kernel.answers = [WRONG]
    seen += kernel.run("password = Hidden(getpass.getpass())")
    seen += kernel.run(f"smtp = m.SMTPSession('127.0.0.1', {postfix.plain_auth})")
    seen += kernel.run("smtp.set_debuglevel(1)") + kernel.run("smtp.login('alice', password)") + kernel.run("%tb")
    seen += kernel.run("vars(smtp)")
    assert "refused the login" in seen
    assert_nowhere(seen, own_config.parent, [("alice", WRONG)])


SENDING = """%%mailconn send ops --to bea@example.org --subject "Churn" --attach {file}
print("Three things moved:")"""
BY_HAND = """with m.connect("ops") as session:
    m.send(session, "bea@example.org", "x", "y", attachments={"a.bin": bytes(4_000_000)})
    print(*session.transcript, vars(session), vars(session.client), sep="; ")"""


def test_no_token_and_no_address_of_an_upload_is_left_by_microsoft_graph(
    kernel: Kernel, own_config: Path, tmp_path: Path, certificates: Certificates
) -> None:
    good, wrong = (f"eyJ0eXAiOiJKV1Qi.{which}-token-of-graph.c2lnbmF0dXJl" for which in ("good", "bad"))
    (tmp_path / "large.bin").write_bytes(bytes(4_000_000))
    cell = SENDING.format(file=tmp_path / "large.bin")
    seen = kernel.run(VERBOSE)
    with GraphServer(certificates.good.server_context(), good) as graph:
        flags = "--protocol GRAPH --username ana@company.example --from-address ana@company.example"
        seen += make(kernel, certificates, "ops", graph.port, flags)
        for secret in (good, wrong):
            seen += typed(kernel, "ops", secret)
            seen += looked_at(kernel, "ops")
        seen += typed(kernel, "ops", good) + kernel.run(cell)
        for place in ("PUT upload", "POST send"):
            for trouble in (error(400, "ErrorInvalid", "What is {token} at {path} for?"), Cut()):
                graph.script[place] = [trouble] * 5
                seen += kernel.run(cell) + kernel.run("%tb")
        graph.script.clear()
        seen += kernel.run(BY_HAND)
        uploads = list(graph.upload_secrets)
    seen += kernel.run("%history -o")
    for said in (
        "Sent by Graph",
        "ErrorMimeContentInvalidBase64String",
        "refused the token",
        "it may arrive twice",
        "upload: bytes",
    ):
        assert said in seen, said
    assert len(uploads) == 6
    assert_nowhere(seen, own_config.parent, [("ana@company.example", secret) for secret in (good, wrong, *uploads)])


@pytest.fixture
def trap(own_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shared folder, and secrets in the variables of the kernel, which starts after it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ZOE)
    monkeypatch.setenv("MY_DATABASE", f"postgres://ana:{WRONG}@db.example/x")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    folder = tmp_path / "mailconn"
    folder.mkdir()
    return folder


def test_no_secret_is_left_by_variables_in_a_connection_that_somebody_else_wrote(
    trap: Path, kernel: Kernel, own_config: Path
) -> None:
    seen = kernel.run(VERBOSE)
    options = ("server_host", "username", "authorization_id", "proxy_host", "ca_file", "from_address", "trusted_hosts")
    for option in options:
        for variable in ("AWS_SECRET_ACCESS_KEY", "MY_DATABASE"):
            given = {
                "name": "ops",
                "server_host": "localhost",
                "server_port": 1,
                "use_authentication": True,
                "username": "a",
            }
            given |= {"use_proxy": option == "proxy_host", option: f"${{{variable}}}"}
            (trap / "ops.json").write_text(json.dumps(given))
            seen += looked_at(kernel, "ops")
            assert f"${{{variable}}} is not expanded" in seen
    seen += kernel.run("%mailconn send ops --to ana@example.org --subject x 'a text'") + kernel.run("%tb")
    assert_nowhere(seen, own_config.parent, [("ana", ZOE), ("ana", WRONG)])


def test_no_secret_of_ones_own_is_left_by_or_sent_to_a_shared_connection_of_that_name(
    trap: Path, kernel: Kernel, own_config: Path
) -> None:
    hello = [Send(b"220 evil\r\n"), Expect(rb"ehlo .*"), Send(b"250-evil\r\n250 AUTH PLAIN LOGIN\r\n")]
    seen = kernel.run(VERBOSE) + kernel.run("%mailconn new ops --server-host mail.example.org --username zoe")
    seen += typed(kernel, "ops", GOOD)
    with ScriptServer(*[hello] * 3, strict=False) as server:
        given = {
            "name": "ops",
            "server_host": "127.0.0.1",
            "server_port": server.port,
            "username": "zoe",
            "locked": True,
        }
        given |= {"use_authentication": True, "use_secure_authentication": False, "allow_plaintext_password": True}
        (trap / "ops.json").write_text(json.dumps(given))
        # Asked for it, a person may give it; nobody does so here without being asked.
        kernel.answers = [WRONG] * 3
        seen += looked_at(kernel, "ops")
        heard = "\n".join(map(str, server.lines))
    assert "belongs to a connection of your own" in seen
    assert kernel.asked
    for trace in traces("zoe", GOOD):
        assert trace not in heard
    assert_nowhere(seen, own_config.parent, [("zoe", GOOD), ("zoe", WRONG)])


IN_A_CHILD = """
import os, traceback
def in_a_child(path):
    process = os.fork()
    if process:
        return os.waitpid(process, 0)[1]
    try:
        with open(path, "w") as out:
            try:
                smtp.sendmail("alice@example.test", ["alice@example.test"], b"Subject: x\\r\\n\\r\\nx")
                print(smtp.noop(), smtp, vars(smtp), vars(smtp.link), smtp.transcript, file=out)
                smtp.quit()
                print(m.check("ops"), file=out)
                m.connect("ops", ask=False).close()
            except BaseException as error:
                told = traceback.TracebackException.from_exception(error, capture_locals=True)
                print("".join(told.format()), vars(error), file=out)
    finally:
        os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_no_secret_is_left_by_a_forked_child_right_or_wrong(
    own_config: Path, postfix: Postfix, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    # One comes from a variable of the kernel, which starts after it, the other is typed.
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", GOOD)
    kernel: Kernel = request.getfixturevalue("kernel")
    flags = "--secure-authentication-type SSL --username alice"
    seen = kernel.run(VERBOSE) + make(kernel, certificates, "ops", postfix.only["PLAIN"], flags)
    seen += kernel.run("import mailconn_jupyter as m\nsmtp = m.connect('ops')\nsmtp.noop()") + kernel.run(IN_A_CHILD)
    told = [own_config.parent / name for name in ("right", "wrong")]
    seen += kernel.run(f"in_a_child({str(told[0])!r})")
    seen += typed(kernel, "ops", WRONG) + kernel.run(f"in_a_child({str(told[1])!r})")
    seen += looked_at(kernel, "ops") + kernel.run("%history -o")
    right, wrong = (path.read_text() for path in told)
    assert "(250, " in right
    assert "Mechanism: PLAIN" in right
    assert "refused the login" in wrong
    assert_nowhere(seen, own_config.parent, [("alice", GOOD), ("alice", WRONG)])
