"""The life of a sandbox: a server, a connection to it, and the end of both with the kernel.

The connection carries a mark (the key ``"sandbox"`` in its file) with the server's own word, which the server also says
in its greeting. So a kernel can tell its own connection from another kernel's, and a live server from a dead one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import socket
import threading
from typing import TYPE_CHECKING, Final

from ..connection import MailConnection
from ..connection.trusted_hosts import pin_for
from ..credentials import Secret, remember
from ..credentials.account import Account
from ..credentials.memory import memory
from ..errors import MailConnError, StoreError
from ..extras import install
from ..formatting import counted
from ..keywords import public
from ..names import fold, quote
from ..store import ConnectionStore, UnknownConnection, atomic_files, connections, last_tests
from .inbox import Inbox

if TYPE_CHECKING:
    from .server import MailServer

__all__ = ["Sandbox", "running", "start"]

NAME: Final = "sandbox"
_HOST: Final = "127.0.0.1"
_MARK: Final = "sandbox"
_USER: Final = "sandbox"
# A top-level domain that never exists (RFC 6761).
_FROM: Final = "you@sandbox.test"
# A kernel that computes answers late; nobody there answers at once.
_PATIENCE: Final = 2.0
# Of one user, at once.
_MOST: Final = 50

_lock = threading.RLock()
_current: Sandbox | None = None


@public
def start(name: str = NAME) -> Sandbox:
    """Start the sandbox, and keep a connection to it under ``name``; a sandbox that runs already is returned.

    The connection's password is random and stays in this kernel. Where another kernel's sandbox has the usual name, this
    one's connection is called ``sandbox-2`` and so on; whoever says ``sandbox`` in this kernel means this one, unless a
    connection of the person's own is called so. Raises
    :class:`~mailconn_jupyter.errors.MailConnError` when the extra ``sandbox`` is not installed, when another
    connection has the name, or when another kernel's sandbox runs under a name that was chosen.
    """
    global _current  # noqa: PLW0603  # a kernel has one
    name = MailConnection(name=name).name
    with _lock:
        sandbox = running()
        if sandbox is not None:
            if fold(name) not in {fold(sandbox.name), NAME}:
                raise MailConnError(
                    f"This kernel's sandbox is already running, as {sandbox.name!r}.",
                    hint="Use that one, or stop it first: %mailconn sandbox --stop",
                )
            sandbox.publish()  # the connection may have been deleted meanwhile
            return sandbox
        sandbox = Sandbox(name)
        try:
            _publish(sandbox)
        except BaseException:
            sandbox.server.close()
            raise
        atexit.register(sandbox.at_exit)
        connections.aliases[NAME] = sandbox.name
        _current = sandbox
        return sandbox


def running() -> Sandbox | None:
    """The sandbox of this kernel, None if there is none."""
    sandbox = _current
    return sandbox if sandbox is not None and sandbox.is_here else None


class Sandbox:
    """A running sandbox: ``inbox`` is what arrived, ``port`` where it listens, ``connection`` how to reach it.

    Made by :func:`start`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.inbox = Inbox()
        self._process = os.getpid()
        self._word = secrets.token_hex(8)
        self._secret = Secret(secrets.token_urlsafe(24))
        # Where it was saved is where it is removed, whatever JUPYTER_CONFIG_DIR says by then.
        self._store = ConnectionStore(connections.folder, connections.layers)
        self.server = _new_server(self.inbox, self._secret, _greeting(self._word))
        self.port = self.server.port

    @property
    def connection(self) -> MailConnection:
        """The options that reach it; its password is in this kernel's memory."""
        connection = MailConnection(
            name=self.name,
            server_host=_HOST,
            server_port=self.port,
            username=_USER,
            trusted_hosts=pin_for(_HOST, self.server.sha256),
            from_address=_FROM,
        )
        connection.unknown[_MARK] = self._word
        return connection

    def stop(self) -> None:
        """Stop the server, and remove its connection and password; the inbox stays. A second call does nothing."""
        global _current  # noqa: PLW0603  # as above
        with _lock:
            if _current is self:
                _current = None
            atexit.unregister(self.at_exit)
            connections.aliases.pop(NAME, None)
            self.server.close()
            self._withdraw()

    @property
    def is_here(self) -> bool:
        """Whether the server runs in this process: a forked child has a copy of the object, and no server."""
        return self._process == os.getpid()

    def at_exit(self) -> None:
        """Stop, unless a forked child ends, which must not take the parent's connection along."""
        if self.is_here:
            with contextlib.suppress(MailConnError):
                self.stop()

    def publish(self) -> None:
        """Keep the connection and its password, unless they are there."""
        existing = _find(self._store, self.name)
        if existing is None or not self._is_mine(existing):
            existing = _require_free(self._store, self.name)
            connection = self.connection
            # As a change of what was read, so that a save of somebody else in between is noticed.
            connection.origin = None if existing is None else existing.origin
            try:
                self._store.save(connection)
            except StoreError:
                # Another kernel may have been faster.
                _require_free(self._store, self.name)
                raise
        remember(self.name, self._secret)

    def _withdraw(self) -> None:
        """Remove the connection and its password, if they are still this sandbox's.

        Not by the store's ``delete``: that asks the keyring, which never had the password, may want to be unlocked,
        and cannot be asked while the interpreter ends.
        """
        account = Account(self.name)
        if memory.get(account) == self._secret:
            memory.drop(account)
        if not self._store.folder.is_dir():
            return
        with atomic_files.locked(self._store.folder):
            existing = _find(self._store, self.name)
            mine = existing is not None and self._is_mine(existing) and existing.origin.layer == "user"
            if existing is not None and mine:
                atomic_files.remove(existing.origin.path)
        if mine:
            last_tests.forget(self.name)
            self._store.drop_default(self.name)

    def _is_mine(self, connection: MailConnection) -> bool:
        return connection.is_sandbox and connection.unknown[_MARK] == self._word

    def __repr__(self) -> str:
        return f"<Sandbox {self.name!r} on {_HOST} port {self.port}, {counted(len(self.inbox), 'message')}>"


def _new_server(inbox: Inbox, secret: Secret, ident: str) -> MailServer:
    try:
        from .server import MailServer  # noqa: PLC0415  # aiosmtpd is an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "aiosmtpd":
            raise
        raise MailConnError(
            "The sandbox needs aiosmtpd, which is not installed.", hint=f"Run: %{install('sandbox')}"
        ) from error
    return MailServer(inbox, username=_USER, secret=secret, ident=ident)


def _greeting(word: str) -> str:
    return f"mailconn sandbox {word}"


def _find(store: ConnectionStore, name: str) -> MailConnection | None:
    try:
        return store[name]
    except UnknownConnection:
        return None


class SandboxElsewhere(MailConnError):
    """Another kernel's sandbox has the name."""


def _publish(sandbox: Sandbox) -> None:
    """Keep its connection: under the usual name, where another kernel's has that under the next that is free."""
    more = (f"{NAME}-{number}" for number in range(2, _MOST)) if fold(sandbox.name) == NAME else iter(())
    while True:
        try:
            return sandbox.publish()
        except SandboxElsewhere:
            # A connection of the person's own is passed by.
            free = (name for name in more if (there := _find(connections, name)) is None or there.is_sandbox)
            if (following := next(free, None)) is None:
                raise
            sandbox.name = following


def _require_free(store: ConnectionStore, name: str) -> MailConnection | None:
    """The connection of a sandbox that is dead, or None where there is none; any other is an error."""
    existing = _find(store, name)
    if existing is None:
        return None
    number = 2
    while (other := f"{name}-{number}") in store:
        number += 1
    elsewhere = f"%mailconn sandbox --name {quote(other)}"
    if not existing.is_sandbox:
        raise MailConnError(
            f"There is already a connection {existing.name!r}, and it is not a sandbox.",
            hint=f"Start it under another name: {elsewhere}",
        )
    if _answers(existing):
        raise SandboxElsewhere(
            f"Another kernel's sandbox is running as {existing.name!r} (port {existing.port}).",
            hint=f"Stop it there (%mailconn sandbox --stop), or start this one under another name: {elsewhere}",
        )
    return existing


def _answers(connection: MailConnection) -> bool:
    """Whether the sandbox that made the connection still listens."""
    if not isinstance(connection.port, int):
        return False
    try:
        with socket.create_connection((_HOST, connection.port), _PATIENCE) as link:
            greeting = link.recv(512)
    except TimeoutError:
        # Somebody is there and busy: rather another name than another kernel's connection lost.
        return True
    except OSError:
        return False
    # Another program may have been given the port of a sandbox that is gone.
    return _greeting(str(connection.unknown[_MARK])).encode() in greeting
