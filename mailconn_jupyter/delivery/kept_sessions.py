"""A session that is kept for the next message: a cell in a loop pays one opening.

It is of this process alone, and for whoever names the stored connection: at most one waits for each, for half a minute. It is
closed at once when the connection or a secret of it changes here, and at the end of the process; it is not used when a file
or a variable is no longer as it was when it was opened. What another program has put into a keyring counts from the next
opening on. A forked child has none.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ..connection import MailConnection
from ..connection.changes import when_changed
from ..credentials.secret_folders import FOLDERS
from ..credentials.variables import variable
from ..errors import MailConnError
from ..forks import in_children
from ..names import fold
from ..paths import expanded
from ..secret import Kind
from ..session.connect import open_session
from ..session.opening.proxy_route import VARIABLES as PROXY_VARIABLES
from .report import DeliveryError

if TYPE_CHECKING:
    from ..session.graph.session import GraphSession

__all__ = ["KEPT", "farewell", "lent_session"]

_SECONDS = 30.0
#: The options that name a file whose content counts when a session opens.
_FILES: Final = ("ca_file", "client_certificate", "client_key")


class Keepable(Protocol):
    """What can wait for its next use."""

    @property
    def sock(self) -> object | None:
        """None where there is no link."""

    @property
    def ended(self) -> bool: ...

    def still_there(self) -> bool: ...

    def quit(self) -> object: ...

    def close(self) -> object: ...


class _Idle(NamedTuple):
    """A session that waits, and what it was opened as."""

    session: Keepable
    opened_as: object
    timer: threading.Timer


class KeptSessions:
    """The sessions that wait, by their connections' names. The lock is held for no longer than a look at the table."""

    def __init__(self) -> None:
        self._idle: dict[str, _Idle] = {}
        self._lock = threading.Lock()
        #: Counts what has changed: a session that was lent meanwhile is not kept.
        self._age = 0
        in_children(self._let_go)

    def _let_go(self) -> None:
        # Not a word to the servers: the links are the parent's.
        self._idle, self._lock, self._age = {}, threading.Lock(), self._age + 1

    def take(self, key: str, opened_as: object) -> tuple[Keepable | None, int]:
        """The session that waits, where it is still good, and the age to put it back with."""
        with self._lock:
            idle, age = self._idle.pop(key, None), self._age
        if idle is None:
            return None, age
        idle.timer.cancel()
        if idle.opened_as == opened_as and idle.session.still_there():
            return idle.session, age
        farewell(idle.session)
        return None, age

    def put(self, key: str, session: Keepable, opened_as: object, age: int) -> bool:
        """Keep it for the next; False where it is not to be kept."""
        if session.sock is None or session.ended:
            return False
        timer = threading.Timer(_SECONDS, self._expire, (key, session))
        timer.daemon = True
        with self._lock:
            if age != self._age or key in self._idle:
                return False
            try:
                timer.start()
            except RuntimeError:
                # The interpreter ends, or there are too many threads. The message has been sent all the same.
                return False
            self._idle[key] = _Idle(session, opened_as, timer)
        return True

    def _expire(self, key: str, session: Keepable) -> None:
        with self._lock:
            idle = self._idle.get(key)
            if idle is None or idle.session is not session:
                return
            del self._idle[key]
        farewell(session)

    def close(self, key: str) -> None:
        """Close that of one connection, and keep none that is lent now."""
        with self._lock:
            self._age += 1
            idle = self._idle.pop(key, None)
        if idle is not None:
            idle.timer.cancel()
            farewell(idle.session)

    def close_all(self) -> None:
        """Close all that wait."""
        for key in list(self._idle):
            self.close(key)


#: This process's.
KEPT: Final = KeptSessions()
when_changed(KEPT.close)
atexit.register(KEPT.close_all)


@contextmanager
def lent_session(
    connection: MailConnection, *, keep: bool, ask: bool = True, opened: Callable[..., Any] = open_session
) -> Iterator[Any]:
    """An open session of the connection, closed afterwards. With ``keep`` one that waits is taken, and it waits on.

    ``opened`` opens one. ``keep`` is for what can wait, and for the stored connection as it is; ``ask``: somebody may
    be asked for a password. Opens and raises as :func:`~mailconn_jupyter.session.connect.open_session`.
    """
    key = fold(connection.name)
    session: Any = None
    opened_as, age = None, 0
    if keep:
        opened_as = _stamp(connection)
        session, age = KEPT.take(key, opened_as)
    if session is None:
        session = opened(connection, ask=ask)
    fine = False
    try:
        yield session
        fine = True
    except DeliveryError:
        # The server has said no, over a link that is as good as before.
        fine = True
        raise
    finally:
        if not (keep and fine and KEPT.put(key, session, opened_as, age)):
            farewell(session)


def farewell(session: Keepable | GraphSession) -> None:
    """Close a session; where the server has hung up first, nothing is lost by it."""
    with suppress(MailConnError, OSError):
        session.quit()
    session.close()


def _stamp(connection: MailConnection) -> object:
    """What must be the same for a session to be the one that would be opened now; of values, which stay out of it, a hash."""
    options: Any = connection.resolved()
    files = [str(getattr(options, name)) for name in _FILES]
    variables = []
    for name in sorted(os.environ):
        if name.startswith("MAILCONN_") or name in {*PROXY_VARIABLES, *FOLDERS}:
            variables.append((name, hash(os.environ.get(name))))
        if name.startswith("MAILCONN_") and name.endswith("_FILE"):
            files.append(os.environ.get(name, ""))
        if name in FOLDERS:
            files += [os.path.join(os.environ.get(name, ""), variable(connection.name, kind)) for kind in Kind]  # noqa: PTH118
    return connection.origin, hash(repr(options.as_dict())), variables, [_file_stamp(path) for path in files]


def _file_stamp(path: str) -> tuple[int, int, int] | None:
    if not path:
        return None
    with suppress(OSError, ValueError):
        status = expanded(path).stat()
        return status.st_mtime_ns, status.st_size, status.st_ino
    return None
