"""What a proxy of a script hears and says, and a test through one."""

from __future__ import annotations

from typing import Any

from tests.servers.script import Expect, ExpectBytes, ExpectUntil, ScriptServer, Send
from tests.servers.steps import Step
from tests.support.proxied import failure, through

HOST = "mail.test"
PORT = 2525
PLAIN: dict[str, Any] = {"server_host": HOST, "server_port": PORT, "use_secure_authentication": False, "timeout": 0.5}

# What a client of each kind asks, and the shortest answer that opens the way.
_NAME = bytes([len(HOST)]) + HOST.encode() + PORT.to_bytes(2, "big")
SOCKS5_REQUEST = b"\x05\x01\x00\x03" + _NAME
SOCKS4_REQUEST = b"\x04\x01" + PORT.to_bytes(2, "big") + b"\0\0\0\x01\0" + HOST.encode() + b"\0"
HELLO: list[Step] = [ExpectBytes(3), Send(b"\x05\x00"), ExpectBytes(len(SOCKS5_REQUEST))]
ASKED: dict[str, list[Step]] = {
    "SOCKS5": HELLO,
    "SOCKS4": [ExpectBytes(len(SOCKS4_REQUEST))],
    "HTTP": [ExpectUntil(b"\r\n\r\n")],
}
GRANTED = {
    "SOCKS5": b"\x05\x00\x00\x01" + b"\0" * 6,
    "SOCKS4": b"\x00\x5a" + b"\0" * 6,
    "HTTP": b"HTTP/1.1 200 Connection established\r\n\r\n",
}
SESSION: list[Step] = [
    Expect(rb"ehlo .*"),
    Send(b"250 mail.test\r\n"),
    Expect(rb"noop"),
    Send(b"250 ok\r\n"),
    Expect(rb"quit"),
    Send(b"221 bye\r\n"),
]
BANNER = b"220 mail.test ESMTP\r\n"


def failed(kind: str, *steps: Step, **options: Any) -> tuple[str, str, str]:
    """Stage, cause and report of a test through a proxy that plays the steps, and hears nothing else."""
    with ScriptServer([*steps]) as proxy:
        stage, cause, report = failure(through(proxy, kind, **{**PLAIN, **options}))
    assert not [line for line in proxy.lines if line.lower().startswith((b"ehlo", b"mail", b"auth"))]
    return stage, cause, str(report)
