"""A slow or broken link: a TCP relay between a client and a server of the tests."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.servers.faults import Cut, Drop, Fault, Trickle, Trigger

__all__ = ["Cut", "Drop", "Fault", "Relay", "Trickle"]

#: One direction's bytes, each chunk with the loop's time at which it is due; b"" is the end.
_Queue = asyncio.Queue[tuple[float, bytes]]


class Relay:
    """Passes connections on to a server, over a link as long and as bad as asked for.

    Use it as a context manager and let the client connect to :attr:`host` and :attr:`port`::

        with Relay(postfix.plain, round_trip=0.1, to_server=Cut(after=b"\\r\\n.\\r\\n")) as link:
            smtplib.SMTP(link.host, link.port)

    It is the bytes that are late, in order, by half the round trip in either direction: a
    pause before each reply would hide what pipelining gains. The TCP handshake counts as well:
    the server's greeting comes after two round trips.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        target: int,
        *,
        target_host: str = "127.0.0.1",
        round_trip: float = 0.0,
        to_server: Fault | None = None,
        to_client: Fault | None = None,
        strikes: int | None = None,
    ) -> None:
        """Describe the link.

        Args:
            target: the server's port.
            target_host: the server's address.
            round_trip: seconds from a question to its answer.
            to_server: what goes wrong with each connection's bytes from client to server.
            to_client: likewise from server to client.
            strikes: how many connections it goes wrong with, the first ones; None: all.
        """
        #: The port that the client is to connect to; 0 before the block is entered.
        self.port = 0
        #: Connections accepted so far.
        self.connections = 0
        #: Bytes that came from the clients and from the server, also those lost on the link.
        self.bytes_from_client = 0
        self.bytes_from_server = 0
        #: How often a client spoke after the server had: a measure of the round trips used.
        self.turns = 0
        self._target = (target_host, target)
        self._round_trip = round_trip
        self._to_server = to_server
        self._to_client = to_client
        self._strikes = strikes
        self._client_spoke = False
        self._errors: list[BaseException] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        if not self._ready.wait(5):
            raise RuntimeError("the relay does not listen")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Cut every connection, and raise what went wrong in the relay itself."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._errors and error is None:
            raise self._errors[0]

    def _run(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._accept, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The callback's own task is out of reach before Python 3.12: serve in one that is not.
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        faulty = self._strikes is None or self.connections <= self._strikes
        writers = [writer]
        directions: list[asyncio.Task[None]] = []
        try:
            await asyncio.sleep(1.5 * self._round_trip)
            server_reader, server_writer = await asyncio.open_connection(*self._target)
            writers.append(server_writer)
            up: _Queue = asyncio.Queue()
            down: _Queue = asyncio.Queue()
            receiving = [
                asyncio.create_task(self._receive(reader, up, from_client=True)),
                asyncio.create_task(self._receive(server_reader, down, from_client=False)),
            ]
            delivering = [
                asyncio.create_task(_deliver(up, server_writer, self._to_server if faulty else None)),
                asyncio.create_task(_deliver(down, writer, self._to_client if faulty else None)),
            ]
            directions = receiving + delivering
            # A cut link raises; otherwise each direction ends by itself.
            await asyncio.gather(*delivering)
        except OSError:
            # A link that an end has reset, which shows in many ways.
            pass
        except _LinkCutError as cut:
            if cut.reset:
                # To close with no time to linger is what sends a reset.
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except Exception as error:  # noqa: BLE001 - raised again in the test's own thread
            self._errors.append(error)
        finally:
            # A cancel can come at each step: what was accepted is closed all the same.
            try:
                for direction in directions:
                    direction.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
                for each in writers:
                    # Sends what was already passed on, then closes.
                    each.close()
                for each in writers:
                    with suppress(ConnectionError, TimeoutError):
                        await asyncio.wait_for(each.wait_closed(), 1)
            finally:
                for each in writers:
                    each.transport.abort()

    async def _receive(self, reader: asyncio.StreamReader, queue: _Queue, *, from_client: bool) -> None:
        data = b"-"
        while data:
            try:
                data = await reader.read(65536)
            except ConnectionError:
                data = b""
            if data and from_client:
                self.bytes_from_client += len(data)
                self.turns += not self._client_spoke
                self._client_spoke = True
            elif data:
                self.bytes_from_server += len(data)
                self._client_spoke = False
            queue.put_nowait((self._loop.time() + self._round_trip / 2, data))


class _LinkCutError(Exception):
    """Both ends of a connection are to be closed, the client's by a reset if asked for."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


async def _deliver(queue: _Queue, writer: asyncio.StreamWriter, fault: Fault | None) -> None:
    """Write each chunk when it is due, until the fault strikes."""
    trigger = Trigger(fault.after) if fault is not None else None
    while True:
        data = await _next(queue)
        if not data:
            writer.write_eof()
            return
        passed = trigger.passes(data) if trigger is not None else None
        writer.write(data[:passed])
        await writer.drain()
        if passed is not None and fault is not None:
            await _strike(fault, data[passed:], queue, writer)
            return


async def _strike(fault: Fault, data: bytes, queue: _Queue, writer: asyncio.StreamWriter) -> None:
    """Treat *data* and what follows as the fault has it."""
    if isinstance(fault, Cut):
        raise _LinkCutError(reset=fault.reset)
    while data or (data := await _next(queue)):
        if isinstance(fault, Trickle):
            for byte in data:
                await asyncio.sleep(fault.interval)
                writer.write(bytes([byte]))
                await writer.drain()
        data = b""
    if isinstance(fault, Drop):
        # Nobody hears of the end either.
        await asyncio.Event().wait()
    writer.write_eof()


async def _next(queue: _Queue) -> bytes:
    """Return the next chunk once it is due."""
    due, data = await queue.get()
    await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
    return data
