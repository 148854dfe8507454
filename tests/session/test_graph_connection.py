"""A connection to Microsoft Graph: its options, who signs in, the ways to it, and where people meet it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.connection.option_kinds import Switch
from mailconn_jupyter.credentials import remember
from mailconn_jupyter.credentials.oauth import access_tokens, metadata
from mailconn_jupyter.credentials.oauth.metadata import Metadata
from mailconn_jupyter.credentials.oauth.scopes import scope_of
from mailconn_jupyter.errors import MailConnError, MailConnWarning, OpenError, OptionError, SignInError
from mailconn_jupyter.extras import install
from mailconn_jupyter.session.check import check
from mailconn_jupyter.session.connect import connect
from mailconn_jupyter.session.sign_in import sign_in
from mailconn_jupyter.session.sign_in_prompt import SignInPrompt
from mailconn_jupyter.store import connections
from tests.servers import Certificates, Proxy
from tests.servers.counting import CountingServer
from tests.servers.graph import GraphServer, options_for
from tests.servers.issuer import Issuer
from tests.servers.odd_issuer import OddIssuer, said
from tests.servers.script import Close, Expect, ScriptServer, Send
from tests.servers.squid import run_squid
from tests.session.test_sign_in import Person
from tests.support.form_driver import editor, fill, nothing_typed
from tests.support.isolation import give_password
from tests.support.proxied import through
from tests.support.shells import Shell, keep, shell
from tests.support.signing_in import identity_at

__all__ = ["nothing_typed", "shell"]

TOKEN = "eyJ0eXAiOiJKV1QiLCJub25jZSI6Ij.connection-token.c2lnbmF0dXJl"
MB = 10**6


@pytest.fixture(autouse=True)
def cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_tokens, "_held", {})
    monkeypatch.setattr(metadata, "_known", {})
    monkeypatch.setattr("mailconn_jupyter.credentials.oauth.questions._PAUSES", (0.01, 0.01))


@pytest.fixture
def graph(certificates: Certificates) -> Iterator[GraphServer]:
    with GraphServer(certificates.good.server_context(), TOKEN) as server:
        yield server


# The options


def test_a_name_and_a_user_are_enough_and_the_rest_is_graphs() -> None:
    connection = MailConnection(name="ops", protocol="graph", username="ana@company.example")
    assert list(connection.problems()) == []
    assert (connection.server_host, connection.port, connection.security) == ("graph.microsoft.com", 443, "SSL")
    assert not connection.signs_in
    assert MailConnection(**connection.as_dict()) == connection
    assert eval(repr(connection)) == connection  # it is a constructor's call
    signing = connection.copy(oauth_issuer="microsoft", oauth_client_id="id")
    assert signing.signs_in
    assert eval(repr(signing)) == signing  # as above
    assert connection.copy(server_host="graph.microsoft.us").server_host == "graph.microsoft.us"
    with pytest.raises(OptionError, match="give the address of the mailbox that sends"):
        MailConnection(name="ops", protocol="GRAPH").require_complete()
    with pytest.raises(OptionError, match="Microsoft Graph does not accept Google's tokens"):
        connection.copy(oauth_issuer="google").require_complete()


def test_what_a_connection_was_by_smtp_does_not_count_by_graph() -> None:
    connection = MailConnection(name="ops", server_host="smtp.office365.com", username="ana@company.example")
    connection.update(use_secure_authentication=False, sasl_mechanism="PLAIN", authorization_id="bea", client_key="k")
    connection.update(protocol="GRAPH", server_host="")
    assert list(connection.problems()) == []
    assert connection.security == "SSL"
    resolved = connection.resolved()
    assert resolved.server_host == "graph.microsoft.com"
    assert (resolved.sasl_mechanism, resolved.authorization_id, resolved.client_key) == ("", "", "")
    # And back again, as the form does it, nothing is lost.
    assert connection.copy(protocol="SMTP", server_host="smtp.office365.com").security == "TLS"


APPLIES = [
    "name",
    "protocol",
    "server_host",
    "server_port",
    "username",
    "check_server_identity",
    "trusted_hosts",
    "use_proxy",
    "use_environment_proxy",
    "oauth_issuer",
    "oauth_client_id",
    "oauth_tenant",
    "oauth_flow",
    "oauth_scope",
    "password_command",
    "ca_file",
    "from_address",
    "signature",
    "smime_certificate",
    "smime_key",
    "smime_folder",
    "timeout",
    "deadline",
]


def test_the_options_that_apply_are_those_of_the_declarations() -> None:
    connection = MailConnection(name="ops", protocol="GRAPH", username="ana@company.example")
    assert [name for name in connection.options() if connection.applies(name)] == APPLIES
    needed = {option.needs for option in connection.options().values() if option.needs}
    assert all(isinstance(connection.options()[switch], Switch) for switch in needed)
    assert [switch for switch in sorted(needed) if not connection.is_on(switch)] == ["use_proxy"]


def test_the_form_shows_the_fields_that_apply_and_keeps_what_is_typed() -> None:
    form = editor()
    try:
        fill(form, name="cloud", protocol="GRAPH", username="ana@company.example")
        shown = [name for name, field in form.fields.items() if field.row.layout.display != "none"]
        assert shown == APPLIES
        assert form.fields["server_host"].control.placeholder == "graph.microsoft.com"
        assert form.fields["server_port"].control.placeholder == "443"
        assert not form.save.disabled
        form.save.click()
        assert connections["cloud"].server_host == "graph.microsoft.com"
        fill(form, protocol="SMTP")
        assert form.fields["use_authentication"].row.layout.display is None
    finally:
        form.close()


def test_show_and_list_have_what_applies(shell: Shell) -> None:
    shell.ok("%mailconn new cloud --protocol GRAPH --username ana@company.example")
    said = shell.ok("%mailconn show cloud").text
    for label in ("Connection protocol", "graph.microsoft.com", "443 (the usual one)", "Access token", "ana@company"):
        assert label in said
    for label in ("Use authentication?", "Secure authentication type", "Login mechanism", "Use XOAuth2?"):
        assert label not in said
    assert re.search(
        r"cloud\s+GRAPH\s+graph\.microsoft\.com:443\s+SSL\s+ana@company\.example", shell.ok("%mailconn").text
    )


# Who signs in


def microsoft(host: str = "login.microsoftonline.com") -> Metadata:
    url = f"https://{host}/company.example/v2.0"
    return Metadata(url, f"{url}/token", "", "", "", (), (), names_itself=False)


@pytest.mark.parametrize(
    ("host", "flow", "scope"),
    [
        ("graph.microsoft.com", "", "https://graph.microsoft.com/Mail.Send openid profile offline_access"),
        ("graph.microsoft.us", "link", "https://graph.microsoft.us/Mail.Send openid profile offline_access"),
        ("graph.microsoft.com", "client_credentials", "https://graph.microsoft.com/.default"),
        ("microsoftgraph.chinacloudapi.cn", "client_credentials", "https://microsoftgraph.chinacloudapi.cn/.default"),
    ],
)
def test_a_token_is_asked_for_that_may_send_at_the_cloud_of_the_host(host: str, flow: str, scope: str) -> None:
    identity = identity_at("microsoft", protocol="GRAPH", host=host, flow=flow)
    assert scope_of(identity, microsoft()) == scope
    assert scope_of(identity, microsoft("login.microsoftonline.us")) == scope


def tokens(number: int) -> dict[str, Any]:
    return {"access_token": f"at-{number}-graph", "refresh_token": f"rt-{number}", "expires_in": 3600}


def test_a_token_that_is_refused_is_renewed_once_and_then_it_is_good(
    graph: GraphServer, certificates: Certificates
) -> None:
    remember("ops", "rt-0", kind="refresh")
    with OddIssuer(token=[said(**tokens(number)) for number in range(1, 5)]) as issuer:
        given = options_for(graph, certificates, oauth_issuer=issuer.url, oauth_client_id="mailconn")
        graph.tokens = {"at-2-graph"}
        with connect(MailConnection(**given)) as session:
            assert [fields["refresh_token"] for _, fields in issuer.asked] == ["rt-0", "rt-1"]
            session.send_message(mailconn.compose("bea@example.org", "x", "one", sender="ana@company.example"))
            assert len(issuer.asked) == 2
            # It dies while the session is open.
            graph.tokens = {"at-3-graph"}
            session.send_message(mailconn.compose("bea@example.org", "x", "two", sender="ana@company.example"))
            assert len(issuer.asked) == 3
            graph.tokens = set()
            with pytest.raises(mailconn.Refused) as caught:
                session.send_message(mailconn.compose("bea@example.org", "x", "three", sender="ana@company.example"))
            assert caught.value.cause == "token-refused"
            assert len(issuer.asked) == 4
    assert len(graph.sent) == 2


def test_a_sign_in_that_is_over_sends_nothing_and_asks_for_a_person(
    graph: GraphServer, certificates: Certificates
) -> None:
    remember("ops", "rt-0", kind="refresh")
    short = tokens(1) | {"expires_in": 1}
    with OddIssuer(token=[said(**short), said(400, error="invalid_grant")]) as issuer:
        given = options_for(graph, certificates, oauth_issuer=issuer.url, oauth_client_id="mailconn")
        graph.tokens = {"at-1-graph"}
        with connect(MailConnection(**given)) as session, pytest.raises(SignInError) as caught:
            mailconn.send(session, "bea@example.org", "x", "one", sender="ana@company.example")
    assert caught.value.hint == "Sign in again: %mailconn signin ops"
    assert graph.sent == []


class Everything(set[str]):
    """Takes every token, and remembers it."""

    def __contains__(self, token: object) -> bool:
        self.add(str(token))
        return True


def test_a_person_signs_in_at_a_real_issuer_and_sends(
    graph: GraphServer, issuer: Issuer, certificates: Certificates
) -> None:
    given = options_for(graph, certificates, oauth_issuer=issuer.url, oauth_client_id="mailconn", username="alice")
    connections.save(MailConnection(**given))
    graph.tokens = Everything()
    person = Person(issuer)
    done = sign_in("ops", tell=person.tell)
    assert isinstance(person.seen[0], SignInPrompt)
    assert done.report is not None
    assert done.report.ok, str(done.report)
    assert mailconn.send("ops", "bea@example.org", "x", "one", sender="alice@example.test")
    assert set(graph.tokens) <= issuer.secrets()
    assert len(graph.tokens) == 1
    assert {one.path for one in graph.asked} == {"/v1.0/me/sendMail"}


def test_a_job_sends_as_the_mailbox_of_the_username_by_the_clients_own_secret(
    graph: GraphServer, issuer: Issuer, certificates: Certificates
) -> None:
    graph.app_only, graph.tokens = True, Everything()
    job = {"oauth_flow": "client_credentials", "oauth_client_id": "robot", "username": "отчёты@bücher.example"}
    connection = MailConnection(**options_for(graph, certificates, oauth_issuer=issuer.url, **job))
    remember("ops", "r0bot", kind="client")
    assert mailconn.send(connection, "bea@example.org", "x", "one", sender="reports@company.example")
    assert len(graph.sent) == 1
    user = "%D0%BE%D1%82%D1%87%D1%91%D1%82%D1%8B@b%C3%BCcher.example"
    assert {one.path for one in graph.asked} == {f"/v1.0/users/{user}/sendMail"}


# The ways to it


def large(**more: Any) -> dict[str, Any]:
    return {"attachments": {"a.bin": bytes(4 * MB)}, "limit": None} | more


def test_all_of_it_goes_through_a_socks_proxy(
    graph: GraphServer, microsocks: Proxy, certificates: Certificates
) -> None:
    give_password("ops", TOKEN)
    give_password("ops", microsocks.password or "", kind="proxy")
    given = options_for(graph, certificates)
    connection = through(microsocks, "SOCKS5", microsocks.username, **given)
    before = len(microsocks.targets())
    assert check(connection).ok
    with pytest.warns(MailConnWarning):
        assert mailconn.send(connection, "bea@example.org", "x", "one", sender="ana@company.example", **large())
    assert graph.sent[0].files == {"a.bin": bytes(4 * MB)}
    microsocks.wait_for_target(f"127.0.0.1:{graph.port}")
    assert len(microsocks.targets()) - before == len(graph.asked)


def test_all_of_it_goes_through_an_http_proxy(
    graph: GraphServer, server_state: Path, certificates: Certificates
) -> None:
    give_password("ops", TOKEN)
    with run_squid(server_state / f"squid-{graph.port}", [graph.port]) as squid:
        give_password("ops", squid.password or "", kind="proxy")
        # Only the proxy knows the name.
        given = options_for(graph, certificates, server_host="mail.test")
        connection = through(squid, "HTTP", squid.username, **given)
        with pytest.warns(MailConnWarning):
            assert mailconn.send(connection, "bea@example.org", "x", "one", sender="ana@company.example", **large())
        squid.wait_for_target(f"mail.test:{graph.port}")
        squid.wait_for_target(f"127.0.0.1:{graph.port}")
    assert graph.sent[0].files == {"a.bin": bytes(4 * MB)}


def test_a_proxy_that_refuses_is_told_as_a_proxy(
    graph: GraphServer, microsocks: Proxy, certificates: Certificates
) -> None:
    give_password("ops", TOKEN)
    give_password("ops", "wrong", kind="proxy")
    given = options_for(graph, certificates)
    report = check(through(microsocks, "SOCKS5", microsocks.username, **given))
    assert report.failed is not None
    assert report.failed.cause == "proxy-login"
    assert graph.asked == []


def test_a_server_of_another_kind_is_no_graph(certificates: Certificates) -> None:
    give_password("ops", TOKEN)
    with ScriptServer([Send(b"220 mail.test ESMTP\r\n"), Close()], strict=False) as server:
        connection = MailConnection(
            name="ops", protocol="GRAPH", server_host="127.0.0.1", server_port=server.port, username="ana@x.example"
        )
        report = check(connection)
    assert report.failed is not None
    assert report.failed.name == "secure"
    assert report.failed.hint == "Something else answers on this port. Check the server host and the port."


# Where people meet it


CELL = """%%mailconn send NAME --to bea@example.org --subject "Churn, week 47"
print("Three things moved:")
"""


def test_the_same_cell_sends_by_smtp_and_by_graph(shell: Shell, graph: GraphServer, certificates: Certificates) -> None:
    keep(**options_for(graph, certificates, name="cloud", from_address="Ана <ana@company.example>"))
    give_password("cloud", TOKEN)
    with CountingServer() as smtp:
        plain = {"server_host": smtp.host, "server_port": smtp.port, "use_secure_authentication": False}
        keep("relay", from_address="Ана <ana@company.example>", **plain)
        by_smtp = shell.ok(CELL.replace("NAME", "relay"))
        by_graph = shell.ok(CELL.replace("NAME", "cloud"))
    assert "Sent: 'Churn, week 47', " in by_smtp.text
    assert "Sent by Graph: 'Churn, week 47', " in by_graph.text
    assert without_ids(graph.sent[0].mime) == without_ids(smtp.taken[0].content)


def without_ids(data: bytes) -> bytes:
    """What differs from one message to the next, left out."""
    return re.sub(rb"(?m)^(Message-ID|Date): .*\r\n|={15}\d+==", b"", data)


def test_an_error_of_graphs_fails_the_cell_in_two_lines(
    shell: Shell, graph: GraphServer, certificates: Certificates
) -> None:
    keep(**options_for(graph, certificates, name="cloud", from_address="ana@company.example"))
    give_password("cloud", TOKEN)
    graph.permissions = set()
    told = shell.fails(CELL.replace("NAME", "cloud"))
    assert (
        "cloud: authenticate failed. Graph did not accept the login: 403 ErrorAccessDenied: Access is denied." in told
    )
    assert "The app needs the permission Mail.Send" in told


def test_find_proposes_graph_for_microsofts_domains_and_says_what_is_not_known(shell: Shell) -> None:
    known = mailconn.discover("Ana@outlook.com", protocol="graph")
    assert known.options == {
        "protocol": "GRAPH",
        "server_host": "graph.microsoft.com",
        "server_port": 443,
        "username": "Ana@outlook.com",
        "check_server_identity": True,
        "oauth_issuer": "microsoft",
        "from_address": "Ana@outlook.com",
    }
    assert known.connection("x").signs_in
    by_smtp = mailconn.discover("ana@acme.onmicrosoft.com")
    assert by_smtp.note.endswith("Microsoft Graph sends: %mailconn find ana@acme.onmicrosoft.com --protocol GRAPH")
    unknown = mailconn.discover("ana@company.example", protocol="GRAPH")
    assert unknown.options["oauth_issuer"] == "microsoft"
    assert "Only a test of the connection tells" in unknown.note
    assert mailconn.discover("ana@gmail.com", protocol="GRAPH").note == "No GRAPH server of Google is known."
    shown = shell.ok("%mailconn find ana@acme.onmicrosoft.com --protocol GRAPH").text
    line = re.search(r"%mailconn new NAME .*", shown)
    assert line is not None
    shell.ok(line.group().replace("NAME", "cloud"))
    assert (
        connections["cloud"].as_dict().items() >= {"protocol": "GRAPH", "username": "ana@acme.onmicrosoft.com"}.items()
    )
    assert connections["cloud"].signs_in


@pytest.mark.parametrize("where", ["Tenant", "Mailbox"])
def test_where_smtp_is_off_the_hint_has_the_line_for_graph(where: str, shell: Shell) -> None:
    no = f"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the {where}. Visit"
    script = [
        Send(b"220 mail.test\r\n"),
        Expect(rb"(?i)ehlo .*"),
        Send(b"250-mail.test\r\n250 AUTH XOAUTH2\r\n"),
        Expect(rb"AUTH XOAUTH2 .*"),
        Send(f"{no}\r\n".encode()),
    ]
    give_password("ops", TOKEN)
    with ScriptServer(script, strict=False) as server:
        connection = MailConnection(
            name="ops",
            server_host="127.0.0.1",
            server_port=server.port,
            username="ana@company.example",
            use_secure_authentication=False,
            use_xoauth2=True,
        )
        with pytest.raises(OpenError) as caught:
            connect(connection)
    assert f"SMTP is off for this {where.lower()}" in caught.value.hint
    line = re.search(r"%mailconn new .*", caught.value.hint)
    assert line is not None
    shell.ok(line.group())
    made = connections["ops by Graph"]
    assert (made.protocol, made.username, made.oauth_issuer) == ("GRAPH", "ana@company.example", "microsoft")


# What it needs


def in_another_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_without_the_extra_the_error_says_what_to_install() -> None:
    code = """if True:
        import sys
        sys.modules["urllib3"] = None
        import mailconn_jupyter as mailconn
        cloud = mailconn.MailConnection(name="cloud", protocol="GRAPH", username="ana@company.example")
        report = mailconn.check(cloud)
        print(report.failed.name, report.failed.message, report.failed.hint, "GraphSession" in dir(mailconn), sep="|")
    """
    assert in_another_process(code) == (
        "resolve|cloud: sending by Microsoft Graph needs urllib3, which is not installed."
        f"|Run: %{install('oauth')}|False"
    )


def test_who_sends_by_smtp_loads_nothing_of_it() -> None:
    code = """if True:
        import sys
        import mailconn_jupyter as mailconn
        box = mailconn.sandbox.start()
        mailconn.send(box.name, "ana@example.org", "Hello", "text", sender="bea@example.org")
        box.stop()
        print(sorted(name for name in sys.modules if name.startswith("urllib3") or ".graph.session" in name))
    """
    assert in_another_process(code) == "[]"


def test_a_session_for_reading_only_is_no_word_of_graphs(graph: GraphServer, certificates: Certificates) -> None:
    with pytest.raises(MailConnError, match="GRAPH has no read-only sessions"):
        connect(MailConnection(**options_for(graph, certificates)), readonly=True)
