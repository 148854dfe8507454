"""A name server on loopback, by dnspython: it says what it is told to, and counts what it is asked."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

__all__ = ["NO_SUCH_DOMAIN", "SILENT", "TROUBLE", "TRUNCATED", "NameServer", "Records", "resolving"]

#: In place of a name's records: there is no such domain; the server fails; it does not answer; it answers by TCP alone.
NO_SUCH_DOMAIN: Final = "NXDOMAIN"
TROUBLE: Final = "SERVFAIL"
SILENT: Final = "silent"
TRUNCATED: Final = "truncated"

#: By name: records as a zone has them (``MX 10 mail.example.net.``), or a word from above.
Records = Mapping[str, tuple[str, ...] | str]


class NameServer:
    """A context manager; ``asked`` counts the questions by name and kind. Of a name that it does not know there is none."""

    def __init__(self, records: Records) -> None:
        self._records = {name.lower().rstrip("."): said for name, said in records.items()}
        self.asked: Counter[tuple[str, str]] = Counter()
        self._udp, self._tcp = _both()
        self.port: int = self._udp.getsockname()[1]
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._by_udp, self._by_tcp)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for each in (self._udp, self._tcp):
            # Closing alone does not wake up who waits on it.
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _by_udp(self) -> None:
        while True:
            try:
                wire, place = self._udp.recvfrom(4096)
                if not wire:
                    return
                answer = self._answer(wire, tcp=False)
                if answer:
                    self._udp.sendto(answer, place)
            except OSError:
                return

    def _by_tcp(self) -> None:
        while True:
            try:
                link, _ = self._tcp.accept()
            except OSError:
                return
            with link:
                length = int.from_bytes(link.recv(2), "big")
                answer = self._answer(link.recv(length), tcp=True)
                link.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, wire: bytes, *, tcp: bool) -> bytes:
        question = dns.message.from_wire(wire)
        asked = question.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(asked.rdtype)
        self.asked[name, kind] += 1
        said = self._records.get(name, NO_SUCH_DOMAIN)
        reply = dns.message.make_response(question)
        if said == SILENT:
            return b""
        if said in {NO_SUCH_DOMAIN, TROUBLE}:
            reply.set_rcode(dns.rcode.from_text(str(said)))
        elif said == TRUNCATED and not tcp:
            reply.flags |= dns.flags.TC
        else:
            lines = ("MX 10 mail.example.net.",) if said == TRUNCATED else said
            of_kind = [line.partition(" ")[2] for line in lines if line.startswith(f"{kind} ")]
            if of_kind:
                reply.answer.append(dns.rrset.from_text_list(asked.name, 60, "IN", kind, of_kind))
        return reply.to_wire()


def _both() -> tuple[socket.socket, socket.socket]:
    """Sockets for UDP and TCP at one port, which may be free for one of them alone."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()


@contextmanager
def resolving(records: Records) -> Iterator[NameServer]:
    """A name server that this process asks in place of the machine's own, in whatever asks by dnspython."""
    with NameServer(records) as server, pytest.MonkeyPatch.context() as patch:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.timeout = ["127.0.0.1"], server.port, 0.5
        patch.setattr(dns.asyncresolver, "default_resolver", resolver)
        yield server
