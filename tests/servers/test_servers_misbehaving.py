"""The relayed link and the scripted server misbehave as told, and only so."""

from __future__ import annotations

import secrets
import smtplib
import socket
import ssl
import time

import pytest

from tests.servers import Certificates, Cut, Drop, Postfix, Relay, ScriptServer, Trickle
from tests.servers.script import (
    Close,
    Dribble,
    Expect,
    ExpectBytes,
    ExpectUntil,
    Pause,
    Send,
    Silence,
    StartTLS,
)


def client(server: Relay | ScriptServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=3)


def test_the_relay_delays_by_the_round_trip(postfix: Postfix) -> None:
    with Relay(postfix.plain, round_trip=0.1) as link:
        start = time.monotonic()
        smtp = smtplib.SMTP(link.host, link.port, "client.test", timeout=5)
        # One round trip is the TCP handshake's.
        assert time.monotonic() - start >= 0.2
        start = time.monotonic()
        for _ in range(3):
            smtp.noop()
        assert time.monotonic() - start >= 0.3
        assert (link.connections, link.turns) == (1, 3)
        assert link.bytes_from_client == 3 * len("noop\r\n")
        smtp.close()


def test_pipelined_commands_share_one_round_trip(postfix: Postfix) -> None:
    with Relay(postfix.plain, round_trip=0.1) as link, client(link) as sock:
        stream = sock.makefile("rb")
        stream.readline()
        start = time.monotonic()
        for _ in range(20):
            sock.sendall(b"NOOP\r\n")
        assert {stream.readline() for _ in range(20)} == {b"250 2.0.0 Ok\r\n"}
        assert time.monotonic() - start >= 0.1
        stream.close()


def test_a_link_cut_after_the_final_dot_still_delivers(postfix: Postfix) -> None:
    token = secrets.token_hex(8)
    with (
        Relay(postfix.plain, to_server=Cut(after=b"\r\n.\r\n")) as link,
        smtplib.SMTP(link.host, link.port, "client.test", timeout=5) as smtp,
        pytest.raises(smtplib.SMTPServerDisconnected),
    ):
        smtp.sendmail("a@client.test", ["dave@example.test"], f"Subject: {token}\r\n\r\nhello\r\n")
    assert postfix.wait_for("dave", token)


def test_a_link_is_cut_after_the_bytes_told(postfix: Postfix) -> None:
    with Relay(postfix.plain, to_client=Cut(after=7)) as link, client(link) as sock:
        assert sock.recv(100) == b"220 mai"
        assert sock.recv(100) == b""


def test_a_link_can_be_reset_after_the_bytes_told(postfix: Postfix) -> None:
    seen: list[bytes] = []

    def read_to_the_end(link: Relay) -> None:
        with client(link) as sock:
            while part := sock.recv(100):
                seen.append(part)

    with Relay(postfix.plain, to_client=Cut(after=7, reset=True)) as link:
        # The reset may overtake the bytes, and even the end of connect(): what is sure is that it comes.
        with pytest.raises(ConnectionResetError):
            read_to_the_end(link)
        assert b"220 mai".startswith(b"".join(seen))


def test_dropped_bytes_are_lost_without_a_sign(postfix: Postfix) -> None:
    with Relay(postfix.plain, to_client=Drop(after=b"\r\n")) as link, client(link) as sock:
        assert sock.recv(100).startswith(b"220 ")
        sock.sendall(b"NOOP\r\n")
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(100)
        assert link.bytes_from_server > len(b"220 \r\n")


def test_a_link_can_dry_up_to_a_trickle(postfix: Postfix) -> None:
    with Relay(postfix.plain, to_client=Trickle(after=4, interval=0.1)) as link, client(link) as sock:
        assert sock.recv(100) == b"220 "
        start = time.monotonic()
        assert [sock.recv(100) for _ in range(3)] == [b"m", b"a", b"i"]
        assert time.monotonic() - start >= 0.3


def test_a_server_that_is_gone_closes_the_link() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        gone = unused.getsockname()[1]
    with Relay(gone) as link, client(link) as sock:
        assert sock.recv(100) == b""


def test_the_script_is_played_and_both_sides_recorded() -> None:
    script = [
        Send(b"220 hi\r\n"),
        Expect(rb"ehlo \S+"),
        Send(b"250 hi\r\n"),
        Expect(rb"data"),
        Send(b"354 go\r\n"),
        ExpectUntil(),
        Send(b"250 ok\r\n"),
        Expect(rb"BDAT 5 LAST"),
        ExpectBytes(5),
        Close(),
    ]
    with ScriptServer(script) as server:
        smtp = smtplib.SMTP(server.host, server.port, "client.test", timeout=3)
        smtp.ehlo()
        smtp.data(b"Subject: x\r\n")
        smtp.send(b"BDAT 5 LAST\r\nab\r\nc")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.getreply()
    assert server.lines == [b"ehlo client.test", b"data", b"Subject: x", b".", b"BDAT 5 LAST", b"ab", b"c"]
    assert server.transcript[:4] == ["== connection 1", "S: 220 hi", "C: ehlo client.test", "S: 250 hi"]


def test_several_connections_are_served_in_turn(certificates: Certificates) -> None:
    context = certificates.client_context()
    with ScriptServer([Send(b"one")], [Send(b"two")], tls=certificates.good.server_context()) as server:
        for word in (b"one", b"two"):
            with context.wrap_socket(client(server), server_hostname="localhost") as sock:
                assert sock.recv(10) == word
    assert server.transcript == ["== connection 1", "== TLSv1.3", "S: one", "== connection 2", "== TLSv1.3", "S: two"]


def test_starttls_in_a_script_secures_what_follows(certificates: Certificates) -> None:
    context = certificates.good.server_context(maximum=ssl.TLSVersion.TLSv1_2)
    script = [
        *(Send(b"220 hi\r\n"), Expect(rb"ehlo .*"), Send(b"250-hi\r\n250 STARTTLS\r\n"), Expect(b"STARTTLS")),
        *(Send(b"220 go\r\n"), StartTLS(context), Expect(b"ehlo .*"), Send(b"250 hi\r\n"), Silence()),
    ]
    with (
        ScriptServer(script) as server,
        smtplib.SMTP("localhost", server.port, "client.test", timeout=3) as smtp,
    ):
        smtp.starttls(context=certificates.client_context())
        smtp.ehlo()
        smtp.close()
    assert server.transcript[7:9] == ["== TLSv1.2", "C: ehlo client.test"]


@pytest.mark.parametrize("name", ["self_signed", "expired", "other_name"])
def test_a_verifying_client_refuses_each_bad_certificate(certificates: Certificates, name: str) -> None:
    bad = getattr(certificates, name).server_context()
    with ScriptServer([StartTLS(bad, refused=True)]) as server, client(server) as sock:
        with pytest.raises(ssl.SSLCertVerificationError) as refusal:
            certificates.client_context().wrap_socket(sock, server_hostname="localhost")
        reasons = {"self_signed": "self-signed", "expired": "has expired", "other_name": "Hostname mismatch"}
        assert reasons[name] in refusal.value.verify_message


def test_what_goes_against_the_script_fails_the_test_with_the_transcript() -> None:
    def greet_as_of_old() -> None:
        with ScriptServer([Expect(b"EHLO"), Send(b"250 hi\r\n")]) as server, client(server) as sock:
            sock.sendall(b"HELO\r\n")
            assert sock.recv(10) == b""

    with pytest.raises(AssertionError, match=r"(?s)expects b'EHLO', the client sent b'HELO'.*C: HELO"):
        greet_as_of_old()


def test_words_after_the_script_and_connections_too_many_are_unexpected() -> None:
    with ScriptServer([Send(b"bye")], strict=False) as server:
        with client(server) as sock:
            sock.sendall(b"QUIT\r\n")
            assert sock.recv(10) == b"bye"
        client(server).close()
    assert server.unexpected == [
        "connection 1: after the script's end the client sent [b'QUIT']",
        "connection 2 is one too many",
    ]


def test_a_connection_that_never_comes_is_unexpected() -> None:
    with ScriptServer([Send(b"hi")], strict=False) as server:
        pass
    assert server.unexpected == ["connection 1 never came"]


def test_a_client_that_says_nothing_does_not_hang_the_server() -> None:
    start = time.monotonic()
    with ScriptServer([Expect(b"EHLO")], strict=False) as server, client(server):
        pass
    with ScriptServer([Expect(b"EHLO")], seconds=0.1, strict=False) as slow, client(slow) as sock:
        assert sock.recv(10) == b""
    assert time.monotonic() - start < 10
    assert "closed while the script waited" in server.unexpected[0]
    assert "silent while the script waited" in slow.unexpected[0]


def test_a_silent_server_answers_nothing_and_records() -> None:
    with ScriptServer([Silence()]) as server, client(server) as sock:
        sock.sendall(b"EHLO x\r\n")
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(10)
    assert server.lines == [b"EHLO x"]


def test_a_server_can_pause_and_dribble() -> None:
    with ScriptServer([Pause(0.1), Dribble(b"220", interval=0.1)]) as server, client(server) as sock:
        start = time.monotonic()
        assert [sock.recv(10) for _ in range(3)] == [b"2", b"2", b"0"]
        assert time.monotonic() - start >= 0.3


def test_a_reset_by_the_server_is_a_reset() -> None:
    with ScriptServer([Expect(b"EHLO x"), Close(reset=True)]) as server, client(server) as sock:
        sock.sendall(b"EHLO x\r\n")
        with pytest.raises(ConnectionResetError):
            sock.recv(10)
