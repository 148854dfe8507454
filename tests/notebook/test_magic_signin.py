"""``%mailconn signin`` in a real kernel: what it shows, what it asks, and that nothing of it is left anywhere."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from tests.servers import Certificates, Postfix
from tests.servers.issuer import Issuer
from tests.support.shells import Kernel, clean_up, kernel
from tests.test_no_secret import VERBOSE, assert_nowhere, looked_at

__all__ = ["clean_up", "kernel"]


def make(kernel: Kernel, issuer: Issuer, certificates: Certificates, postfix: Postfix, flags: str = "") -> str:
    where = f"--server-host localhost --server-port {postfix.smtps} --secure-authentication-type SSL --username alice"
    who = f"--ca-file {certificates.ca.pem} --oauth-issuer {issuer.url}"
    return kernel.run(f"%mailconn new ops {where} {who} {flags or '--oauth-client-id mailconn'}")


def approve(kernel: Kernel, issuer: Issuer, *, deny: bool = False) -> list[threading.Thread]:
    """Have a person look at the cell's output, and enter the code that it shows."""
    started: list[threading.Thread] = []

    def watch(output: str) -> None:
        code = re.search(r"enter the code ([A-Z]{4}-[A-Z]{4})", output)
        if code and not started:
            page = f"{issuer.url}/device"
            started.append(threading.Thread(target=issuer.browser().enter, args=(page, code[1]), kwargs={"deny": deny}))
            started[0].start()

    kernel.watch = watch
    return started


def link_in(issuer: Issuer, output: str) -> str:
    """The link as the output's text has it."""
    link = re.search(rf"{re.escape(issuer.url)}/auth\?[^\s\\]+", output)
    assert link is not None
    return link[0]


def test_a_device_code_is_shown_large_with_a_button_and_is_gone_at_the_end(
    kernel: Kernel, issuer: Issuer, certificates: Certificates, token_postfix: Postfix
) -> None:
    assert "Sign in: %mailconn signin ops" in make(kernel, issuer, certificates, token_postfix)
    threads = approve(kernel, issuer)
    said = kernel.run("%mailconn signin ops")
    threads[0].join()
    assert said.startswith("ok"), said
    assert "Copy the code" in said
    assert "font-size:2em" in said
    assert "interrupt the cell to cancel" in said
    assert "Signed in for 'ops' as alice; kept in this kernel only" in said
    assert "works" in said
    # The output that showed the code is empty now.
    first, last = re.findall(r"'transient': {'display_id': '(\w+)'}", said)
    assert first == last
    assert re.search(r"'data': {'text/plain': '', 'text/html': ''}", said)
    shown = kernel.run("%mailconn show ops")
    assert re.search(r"Signed in.*since 20\d\d-\d\d-\d\d \d\d:\d\d, as alice, in this kernel only", shown)
    assert "renewed by itself" in shown
    assert "signed in since 20" in kernel.run("%mailconn")
    assert "'ops' is signed out" in kernel.run("%mailconn signout ops")
    assert "no; run %mailconn signin ops" in kernel.run("%mailconn show ops")
    assert "signed in" not in kernel.run("%mailconn")


def test_by_a_link_the_address_is_asked_for_without_echo(
    kernel: Kernel, issuer: Issuer, certificates: Certificates, token_postfix: Postfix
) -> None:
    make(kernel, issuer, certificates, token_postfix)

    def pasted(output: str) -> str:
        return issuer.browser().follow(link_in(issuer, output))

    kernel.answers = [pasted]
    said = kernel.run("%mailconn signin ops --flow link")
    assert said.startswith("ok"), said
    assert "fails to load" in said
    assert kernel.asked[-1]["password"] is True
    assert "Signed in for 'ops' as alice" in said


def test_who_denies_and_who_stops_the_cell_are_told_in_two_lines(
    kernel: Kernel, issuer: Issuer, certificates: Certificates, token_postfix: Postfix
) -> None:
    make(kernel, issuer, certificates, token_postfix)
    threads = approve(kernel, issuer, deny=True)
    said = kernel.run("%mailconn signin ops")
    threads[0].join()
    assert said.startswith("error")
    assert "access_denied" in said
    shown: list[str] = []
    kernel.watch = shown.append
    said = kernel.run("%mailconn signin ops", stop_when=lambda: any("enter the code" in output for output in shown))
    assert "The sign-in was cancelled." in said
    assert "Start again: %mailconn signin ops" in said
    assert re.search(r"'data': {'text/plain': '', 'text/html': ''}", said)


@pytest.mark.parametrize("flow", ["device", "link"])
def test_no_token_code_verifier_or_secret_is_left_by_a_sign_in(
    flow: str, kernel: Kernel, issuer: Issuer, certificates: Certificates, token_postfix: Postfix, own_config: Path
) -> None:
    before = issuer.secrets()
    seen = kernel.run(VERBOSE)
    seen += make(kernel, issuer, certificates, token_postfix, "--oauth-client-id confidential")
    kernel.answers = ["wr0ng-client-secret"]
    seen += kernel.run("%mailconn password ops --client")
    addresses: list[str] = []

    def pasted(output: str) -> str:
        addresses.append(issuer.browser().follow(link_in(issuer, output)))
        return addresses[-1]

    for _ in range(2):
        threads = approve(kernel, issuer)
        kernel.answers = [pasted]
        said = kernel.run(f"%mailconn signin ops --flow {flow}") + kernel.run("%tb")
        for thread in threads:
            thread.join()
        seen += said
        kernel.answers = ["c0nf"]
        seen += kernel.run("%mailconn password ops --client")
    assert "invalid_client" in seen
    assert "Signed in for 'ops'" in seen
    seen += looked_at(kernel, "ops")
    seen += kernel.run("smtp = %mailconn connect ops") + kernel.run("%mailconn signout ops") + kernel.run("%tb")
    seen += kernel.run("m.sign_in('ops', flow='link', ask=lambda q: 'http://127.0.0.1/?code=c0de&state=x')")
    seen += kernel.run("%tb") + kernel.run("%history -o")
    secrets = issuer.secrets() - before
    secrets |= {found for address in addresses for found in re.findall(r"code=([^&]+)", address)}
    assert len(secrets) >= 4
    # The last address was typed into a cell, by who wrote that cell.
    assert_nowhere(seen, own_config.parent, [("alice", secret) for secret in secrets if len(secret) > 4])


@pytest.mark.parametrize(("client", "flow"), [("robot", "client_credentials"), ("service", "service_account")])
def test_no_secret_of_a_job_is_left(
    client: str,
    flow: str,
    kernel: Kernel,
    issuer: Issuer,
    certificates: Certificates,
    token_postfix: Postfix,
    own_config: Path,
) -> None:
    before = issuer.secrets()
    secret = "r0bot" if client == "robot" else issuer.service_account.read_text()
    seen = kernel.run(VERBOSE)
    seen += make(kernel, issuer, certificates, token_postfix, f"--oauth-client-id {client} --oauth-flow {flow}")
    for given in ("wr0ng-client-secret", secret):
        kernel.answers = [given]
        seen += kernel.run("%mailconn password ops --client") + looked_at(kernel, "ops")
    assert "by the client's secret" in seen
    assert "ready" in seen
    seen += kernel.run("%history -o")
    used = {found for found in issuer.secrets() - before if len(found) > 4} | {"wr0ng-client-secret", secret}
    assert len(used) >= 3
    assert_nowhere(seen, own_config.parent, [("alice", found) for found in used])


def test_what_a_password_command_prints_is_left_nowhere(
    kernel: Kernel, certificates: Certificates, postfix: Postfix, own_config: Path, tmp_path: Path
) -> None:
    seen = kernel.run(VERBOSE)
    for secret in ("wr0ng-printed-secret", "s3cret"):
        (tmp_path / "printed").write_text(secret)
        where = (
            f"--server-host localhost --server-port {postfix.smtps} --secure-authentication-type SSL --username alice"
        )
        flags = f"--ca-file {certificates.ca.pem} --password-command 'cat {tmp_path / 'printed'}' --replace"
        seen += kernel.run(f"%mailconn new ops {where} {flags}") + looked_at(kernel, "ops")
    assert "LoginRefused" in seen
    assert "ready" in seen
    (tmp_path / "printed").unlink()
    assert_nowhere(seen, own_config.parent, [("alice", "wr0ng-printed-secret"), ("alice", "s3cret")])


def test_loading_the_extension_and_opening_by_a_password_bring_nothing_of_it(kernel: Kernel) -> None:
    mine = "[name for name in sys.modules if name.startswith(('oauthlib', 'urllib3', 'mailconn_jupyter.credentials.oauth'))]"
    assert "[]" in kernel.run(f"import sys\nprint({mine})")
    kernel.run("%mailconn new plain --server-host 127.0.0.1 --server-port 1 --username ana")
    assert "connect failed" in kernel.run("%mailconn test plain")
    assert "[]" in kernel.run(f"print({mine})")
