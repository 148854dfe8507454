from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import StoreError
from mailconn_jupyter.session.check import CheckReport, check, check_all
from mailconn_jupyter.session.opening.stages import STAGES, StageResult
from mailconn_jupyter.store import connections, last_tests
from mailconn_jupyter.transport import channel as channel_module
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.servers.script import Dribble, Expect, ScriptServer, Send, Silence
from tests.support.isolation import give_password


def to(port: int, **options: Any) -> MailConnection:
    given = {"name": "ops", "server_host": "localhost", "server_port": port, **options}
    return MailConnection(**given)


def failure(report: CheckReport) -> tuple[str, str, str]:
    assert not report.ok
    assert report.failed is not None
    return report.failed.name, report.failed.cause, report.failed.hint


def test_a_good_connection_passes_every_stage_and_says_what_was_learnt(
    postfix: Postfix, certificates: Certificates
) -> None:
    give_password("ops", "s3cret")
    report = check(to(postfix.submission, username="alice", ca_file=str(certificates.ca.pem)))
    assert report.ok
    assert [(stage.name, stage.outcome) for stage in report.stages] == [(name, "ok") for name in STAGES]
    learnt = {label: text for stage in report.stages for label, text in stage.facts.items()}
    assert learnt["Address"] == f"127.0.0.1 port {postfix.submission}"
    assert learnt["TLS"].startswith("TLSv1.3, TLS_")
    assert learnt["SHA-256"] == certificates.good.sha256
    assert "localhost" in learnt["Names"]
    assert "trustme" in learnt["Issuer"]
    assert "UTC" in learnt["Expires"]
    assert learnt["Server says"] == "mail.test"
    assert "PIPELINING" in learnt["Capabilities"]
    assert "SCRAM-SHA-256" in learnt["Mechanisms"]
    assert (learnt["User"], learnt["Secret from"]) == ("alice", "this kernel")
    assert learnt["Largest message"] == "1.0 MB"
    assert all(stage.milliseconds > 0 for stage in report.stages)
    assert "s3cret" not in f"{report}{report._repr_html_()}"


def test_a_test_says_that_the_keys_of_tls_are_written_to_a_file(
    postfix: Postfix, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    report = check(to(postfix.submission, ca_file=str(certificates.ca.pem)))
    assert report.ok
    assert log.read_text()
    assert str(log) in report.stages[2].facts["Keys"]
    monkeypatch.delenv("SSLKEYLOGFILE")
    assert "Keys" not in check(to(postfix.submission, ca_file=str(certificates.ca.pem))).stages[2].facts


def test_a_connection_without_tls_and_login_skips_those_stages(postfix: Postfix) -> None:
    report = check(to(postfix.relay, use_secure_authentication=False))
    assert report.ok
    assert [stage.name for stage in report.stages if stage.outcome == "skipped"] == ["secure", "authenticate"]


def test_the_stages_after_a_failed_one_are_not_reached() -> None:
    report = check(to(1))
    assert [stage.outcome for stage in report.stages] == ["ok", "failed", *["not reached"] * 4]


def test_tls_from_the_first_byte_on_a_starttls_port_is_told_to_choose_starttls(postfix: Postfix) -> None:
    stage, cause, hint = failure(check(to(postfix.submission, secure_authentication_type="SSL")))
    assert (stage, cause) == ("secure", "wrong-tls-type")
    assert "choose the type TLS" in hint


def test_starttls_on_a_port_for_tls_from_the_first_byte_is_told_to_choose_ssl(postfix: Postfix) -> None:
    stage, cause, hint = failure(check(to(postfix.smtps, timeout=0.5)))
    assert (stage, cause) == ("secure", "no-answer")
    assert "needs type SSL" in hint


def test_an_unknown_authority_comes_with_the_pin_that_then_works(postfix: Postfix) -> None:
    give_password("ops", "s3cret")
    connection = to(postfix.submission, username="alice")
    report = check(connection)
    stage, cause, hint = failure(report)
    assert (stage, cause) == ("secure", "unknown-authority")
    assert report.pin in hint
    connection.trusted_hosts = report.pin
    assert check(connection).ok


def test_a_wrong_password_says_how_to_set_it(postfix: Postfix, certificates: Certificates) -> None:
    give_password("ops", "wr0ng")
    report = check(to(postfix.submission, username="alice", ca_file=str(certificates.ca.pem)))
    stage, cause, hint = failure(report)
    assert (stage, cause) == ("authenticate", "wrong-password")
    assert "%mailconn password ops" in hint


@pytest.mark.parametrize(
    ("password", "oddity"),
    [
        ("s3cret\u202f", "contains U+202F (narrow no-break space), as pasted text often does"),
        ("s3cret\u00a0", "contains U+00A0 (no-break space), as pasted text often does"),
        ("s3cret ", "begins or ends with a space"),
    ],
)
def test_a_password_that_may_be_wrongly_pasted_is_told_when_it_is_refused(
    password: str, oddity: str, postfix: Postfix, certificates: Certificates
) -> None:
    give_password("ops", password)
    report = check(to(postfix.submission, username="alice", ca_file=str(certificates.ca.pem)))
    stage, cause, hint = failure(report)
    assert (stage, cause) == ("authenticate", "wrong-password")
    assert hint.startswith(f"The password {oddity}. Check the username, and set the password again: %mailconn password")
    assert "s3cret" not in str(report)


def test_a_login_that_the_server_does_not_offer_is_said(postfix: Postfix, certificates: Certificates) -> None:
    give_password("ops", "s3cret")
    ca_file = str(certificates.ca.pem)
    stage, cause, hint = failure(check(to(postfix.plain, username="alice", ca_file=ca_file)))
    assert (stage, cause) == ("authenticate", "no-login")
    assert "submission port" in hint
    options = {"secure_authentication_type": "SSL", "username": "alice", "use_xoauth2": True, "ca_file": ca_file}
    stage, cause, hint = failure(check(to(postfix.only["PLAIN"], **options)))
    assert (stage, cause) == ("authenticate", "no-mechanism")
    assert "use_xoauth2" in hint


def test_a_missing_password_is_said_and_nobody_is_asked(postfix: Postfix, certificates: Certificates) -> None:
    report = check(
        to(postfix.submission, name="never seen", username="alice", ca_file=str(certificates.ca.pem)), ask=False
    )
    stage, cause, hint = failure(report)
    assert (stage, cause) == ("authenticate", "no-secret")
    assert "MAILCONN_NEVER_SEEN_PASSWORD" in hint


def test_a_password_does_not_travel_in_plain_text_beyond_this_machine(
    postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second machine cannot be had in a test: loopback is taken for one.
    monkeypatch.setattr(channel_module, "is_loopback", lambda _: False)
    give_password("ops", "s3cret")
    connection = to(postfix.plain_auth, use_secure_authentication=False, username="alice")
    stage, cause, hint = failure(check(connection))
    assert (stage, cause) == ("authenticate", "plain-text-refused")
    assert "allow_plaintext_password" in hint
    connection.allow_plaintext_password = True
    assert check(connection).ok


def test_a_port_where_nobody_listens_is_refused_with_the_usual_ports() -> None:
    stage, cause, hint = failure(check(to(1)))
    assert (stage, cause) == ("connect", "refused")
    assert "587, 465 or 25" in hint


def test_an_unknown_host_is_said_to_be_unknown() -> None:
    stage, cause, hint = failure(check(to(25, server_host="no-such-host.invalid")))
    assert (stage, cause) == ("resolve", "host-unknown")
    assert "spelling" in hint


def test_an_undefined_variable_fails_the_first_stage_by_its_name() -> None:
    report = check(to(25, server_host="${NO_SUCH_VARIABLE}"))
    assert failure(report)[:2] == ("resolve", "option")
    assert "NO_SUCH_VARIABLE" in report.summary


def test_variables_are_taken_from_the_environment_when_the_session_opens(
    postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = MailConnection(
        name="ops", server_host="${MAIL_HOST}", server_port="${MAIL_PORT}", use_secure_authentication=False
    )
    monkeypatch.setenv("MAIL_HOST", "localhost")
    monkeypatch.setenv("MAIL_PORT", str(postfix.relay))
    assert check(connection).ok


def test_a_silent_server_ends_at_the_timeout_and_a_dribbling_one_at_the_deadline() -> None:
    with ScriptServer([Silence()], [Dribble(b"220 " + b"x" * 100, interval=0.05)], strict=False) as server:
        connection = to(server.port, use_secure_authentication=False, timeout=0.5, deadline=5)
        assert failure(check(connection))[:2] == ("greet", "no-answer")
        connection.update(timeout=5, deadline=0.5)
        assert failure(check(connection))[:2] == ("greet", "no-answer")


def test_a_test_can_be_cancelled_at_once_and_sends_nothing() -> None:
    cancel = threading.Event()
    with ScriptServer([Silence()], strict=False) as server:

        def listener(result: StageResult) -> None:
            if result.name == "greet":
                threading.Timer(0.2, cancel.set).start()

        connection = to(server.port, use_secure_authentication=False, timeout=30)
        report = check(connection, cancel=cancel, listener=listener)
    assert failure(report)[:2] == ("greet", "cancelled")
    assert not server.lines


def test_what_fails_once_a_test_was_called_off_is_not_kept_as_its_outcome() -> None:
    cancel = threading.Event()
    with ScriptServer([], strict=False) as server:
        connections.save(to(server.port, use_secure_authentication=False))

        def listener(result: StageResult) -> None:
            if result.outcome == "failed":
                cancel.set()

        report = check("ops", cancel=cancel, listener=listener)
        assert failure(report)[:2] == ("greet", "closed")
        assert last_tests.last("ops") is None
        assert not check("ops").ok
        assert last_tests.last("ops") is not None


def test_the_listener_hears_each_stage_begin_and_end(postfix: Postfix) -> None:
    heard: list[tuple[str, str]] = []
    check(
        to(postfix.relay, use_secure_authentication=False),
        listener=lambda result: heard.append((result.name, result.outcome)),
    )
    begun = [name for name, outcome in heard if outcome == "running"]
    ended = [name for name, outcome in heard if outcome in {"ok", "skipped"}]
    assert begun == ended == list(STAGES)


def test_many_are_tested_side_by_side_in_the_order_asked() -> None:
    count = 12
    with socket.create_server(("127.0.0.1", 0), backlog=count) as server:
        server.settimeout(10)

        def hang_up_on_all_at_once() -> None:
            # One after the other, the first would wait here for the second, and end by its timeout.
            links = [server.accept()[0] for _ in range(count)]
            for link in links:
                link.close()

        thread = threading.Thread(target=hang_up_on_all_at_once)
        thread.start()
        options = {"use_secure_authentication": False, "timeout": 8.0}
        targets = [to(server.getsockname()[1], name=f"number {number}", **options) for number in range(count)]
        reports = check_all(targets)
        thread.join()
    assert [report.name for report in reports] == [f"number {number}" for number in range(count)]
    assert {failure(report)[:2] for report in reports} == {("greet", "closed")}
    # In a cell they are a table, with a row of each and not its stages.
    lines = repr(reports).splitlines()
    assert [line.split()[:3] for line in lines if line.startswith("number")] == [
        ["number", str(number), "FAILED"] for number in range(count)
    ]
    assert "resolve" not in repr(reports)
    assert reports._repr_html_().count("<tr>") == count + 1
    assert repr(check_all([])) == "There is no connection."


def test_the_outcome_of_a_stored_connections_test_is_remembered(postfix: Postfix) -> None:
    connections.save(to(postfix.relay, name="Kept", use_secure_authentication=False))
    assert last_tests.last("kept") is None
    assert check("kept").ok
    outcome = last_tests.last("Kept")
    assert outcome is not None
    assert outcome.ok
    connections.update("Kept", server_port=1)
    check("Kept")
    outcome = last_tests.last("Kept")
    assert outcome is not None
    assert not outcome.ok
    assert "refused" in outcome.summary


def test_a_name_that_is_not_stored_is_an_error_of_the_store() -> None:
    with pytest.raises(StoreError, match="nowhere"):
        check("nowhere")


def test_what_a_server_says_is_escaped_in_the_report() -> None:
    script = [
        Send(b"220 <script>alert(1)</script>\r\n"),
        Expect(rb"ehlo .*"),
        Send(b"250-<img src=x onerror=alert(1)>\r\n250 <b>BOLD</b>\r\n"),
        Expect(rb"noop"),
        Send(b"250 ok\r\n"),
        Silence(),
    ]
    with ScriptServer(script) as server:
        report = check(to(server.port, use_secure_authentication=False))
    html = report._repr_html_()
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_the_deadline_does_not_run_while_a_person_types_the_password(
    postfix: Postfix, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_typist(prompt: str = "") -> str:
        time.sleep(1.2)
        return "s3cret"

    # Stands for a person: a kernel puts its own question in this place, too.
    monkeypatch.setattr("getpass.getpass", slow_typist)
    options = {"username": "alice", "ca_file": str(certificates.ca.pem), "deadline": 1.0}
    report = check(to(postfix.submission, name="asked", **options))
    assert report.ok, report
    assert "Secret from: prompt" in str(report)


def test_of_all_that_are_stored_each_outcome_is_remembered(postfix: Postfix) -> None:
    for name, port in {"works": postfix.relay, "refused": 1}.items():
        connections.save(to(port, name=name, use_secure_authentication=False))
    reports = check_all()
    assert {report.name: report.ok for report in reports} == {"works": True, "refused": False}
    kept = {report.name: last_tests.last(report.name) for report in reports}
    assert {name: outcome.summary for name, outcome in kept.items() if outcome is not None} == {
        report.name: report.summary for report in reports
    }
    assert not list(last_tests.folder().glob(".mailconn-*"))
