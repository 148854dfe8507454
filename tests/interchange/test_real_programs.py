"""The programs themselves, where they are installed: curl sends by a URL of ours, and msmtp reads accounts as we do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.interchange import hop
from tests.interchange.examples import MSMTPRC, OPS
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
from tests.support.keyring_backends import Shelf, using


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize("security", ["SSL", "TLS"])
def test_curl_sends_by_the_url_that_is_exported_and_its_url_opens_a_session_here(
    security: str, postfix: Postfix, certificates: Certificates, tmp_path: Path
) -> None:
    curl = program("curl")
    port = {"SSL": postfix.smtps, "TLS": postfix.submission}[security]
    connection = MailConnection(
        name="ops", server_host="localhost", server_port=port, username="alice", ca_file=str(certificates.ca.pem)
    )
    connection.secure_authentication_type = security
    url = mailconn.export_connection(connection, "url").replace("alice@", f"alice:{quote('s3cret')}@")
    (tmp_path / "mail").write_bytes(b"Subject: By curl\r\n\r\nHello.\r\n")
    sent = subprocess.run(
        [
            *(curl, "--silent", "--show-error", "--ssl-reqd", "--cacert", str(certificates.ca.pem), "--url", url),
            *(
                "--mail-from",
                "alice@example.test",
                "--mail-rcpt",
                "alice@example.test",
                "--upload-file",
                str(tmp_path / "mail"),
            ),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert sent.returncode == 0, sent.stderr
    assert b"Hello." in postfix.wait_for("alice", "By curl")
    [found] = mailconn.load_connections(url, "url", name="ops")
    found.connection.ca_file = str(certificates.ca.pem)
    found.save()
    assert mailconn.check("ops").ok


def test_a_connection_of_hops_is_imported_with_its_password_and_logs_in(
    postfix: Postfix, certificates: Certificates, tmp_path: Path
) -> None:
    folder = tmp_path / "project" / hop.FOLDER
    folder.mkdir(parents=True)
    said = json.loads(OPS.read_text(encoding="utf-8")) | {
        "serverHost": "%%MAIL_HOST%%",
        "serverPort": str(postfix.submission),
        "username": "alice",
        "trustedHosts": "localhost",
    }
    (folder / "ops.json").write_text(json.dumps(said), encoding="utf-8")
    with using(Shelf()), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAIL_HOST", "localhost")
        mailconn.load_connections(tmp_path / "project").save()
        report = mailconn.check("ops")
        assert report.ok, report.error
        assert mailconn.send("ops", "alice@example.test", "From Hop", "Hello.", sender="alice@example.test").ok
        postfix.wait_for("alice", "From Hop")


def test_msmtp_has_the_same_of_each_account(tmp_path: Path) -> None:
    msmtp = program("msmtp")
    # It runs the command also where it sends nothing.
    text = re.sub("passwordeval.*", "passwordeval printf x", MSMTPRC.read_text(encoding="utf-8"))
    exported = mailconn.export_connection(
        MailConnection(
            name="exported",
            server_host="mail.example.org",
            username="ana b",
            from_address="ana@example.org",
            client_certificate="/srv/mail files/c.pem",
            trusted_hosts=f"mail.example.org=sha256:{'ab' * 32}",
            proxy_host="gate",
            timeout=30,
        ),
        "msmtp",
    )
    path = tmp_path / "msmtprc"
    path.write_text(f"{text}\ndefaults\ntls off\naccount late : ops\nport 2525\n{exported}\n", encoding="utf-8")
    path.chmod(0o600)
    found = mailconn.load_connections(path)
    assert len(found) == 6
    for each in (one.connection for one in found):
        said = subprocess.run(
            [msmtp, "-C", str(path), "-P", "-a", each.name, "x@example.org"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"HOME": str(tmp_path)},
        )
        theirs = dict(re.findall(r"^(\w+) = (.*)$", said.stdout, re.MULTILINE))
        assert theirs, said.stderr
        assert (theirs["host"], theirs["port"], theirs["user"]) == (each.server_host, str(each.port), each.username)
        assert theirs["from"] == each.from_address
        security = "" if theirs["tls"] == "off" else "TLS" if theirs["tls_starttls"] == "on" else "SSL"
        assert security == each.security
        pins = each.trust.pins_of(each.server_host)
        assert {theirs["tls_fingerprint"].replace(":", "").lower()} == (pins or {"(not set)"})
        assert theirs["auth"].casefold() in {"choose", each.sasl_mechanism.casefold()}
