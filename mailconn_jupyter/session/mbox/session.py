"""A mailbox file as a :class:`mailbox.mbox`: read-only unless asked, and read no further than needed."""

from __future__ import annotations

import mailbox
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from ...connection import MailConnection
from ...errors import OpenError, OptionError
from ...formatting import how_large
from ...transport.channel import Channel
from ...transport.deadline import Limit
from ...transport.sasl.choose import Mechanism
from ..opening.stages import Listener
from .errors import FileChanged, ReadOnly, open_error
from .file_lock import lock_patiently, locked_by, open_file, refuse_other_formats
from .file_stages import FileOpening
from .index import MboxIndex, count_messages

__all__ = ["MBOXSession"]

#: Bytes that a test counts the messages of; a larger file is said to have more.
MOST_COUNTED: Final = 2 * 2**30


class MBOXSession(mailbox.mbox):
    """A mailbox file, usable wherever a ``mailbox.mbox`` is; also a context manager that closes it.

    ``MBOXSession(connection=connection)`` opens the file that the
    :class:`~mailconn_jupyter.connection.MailConnection` names; :func:`mailconn_jupyter.connect` is the short way. The
    file is never made by opening it. Its messages are found as they are asked for: to show the first one of a large file
    reads no more than a megabyte; ``len()`` and ``keys()`` read all of it.

    With ``readonly`` (the default) nothing in the file or beside it changes, not even its time of last access where the
    system allows, and what writes raises. Without, the file is locked as mail programs lock it (``fcntl`` and a dot
    lock) until the session is closed.

    Raises :class:`~mailconn_jupyter.errors.OpenError`, which is also the class of :mod:`mailbox` that fits.
    """

    # mailbox's own, which its stubs leave out.
    _file: BinaryIO
    _toc: dict[int, tuple[int, int]] | None
    _path: str
    _next_key: int
    _pending: bool
    _file_length: int | None

    #: There is no conversation with a file.
    transcript: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        connection: MailConnection | None = None,
        readonly: bool = True,
        listener: Listener | None = None,
        cancel: threading.Event | None = None,
        ask: bool = True,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        if connection is not None and connection.protocol != "MBOX":
            raise OptionError(f"{connection.name}: the protocol is {connection.protocol}, not MBOX.", trait="protocol")
        self.connection = connection
        self.opening: FileOpening | None = None
        self.readonly = readonly
        # mailbox opens a file when it is made, and this session has not found its own yet.
        super().__init__(os.devnull, create=False)
        self._take(self._file, os.devnull)
        if connection is None:
            return
        self.opening = FileOpening(connection, listener=listener, cancel=cancel, ask=ask)
        self.opening.run(self.adapter)

    def _take(self, file: BinaryIO, path: str) -> None:
        self._file, self._path = file, path
        self._index = MboxIndex(file)
        # Shared: what the index finds, mailbox sees.
        self._toc = self._index.spans

    # The steps of an opening

    @property
    def adapter(self) -> MBOXSession:
        """How a session of this protocol is opened."""
        return self

    def open_file(self, path: Path, limit: Limit) -> os.stat_result:
        file = open_file(path, readonly=self.readonly)
        try:
            refuse_other_formats(file, path)
        except BaseException:
            file.close()
            raise
        self._file.close()
        self._take(file, str(path))
        if not self.readonly:
            lock_patiently(self, file, path, limit)
        return os.fstat(file.fileno())

    def ready(self, *, testing: bool) -> dict[str, str]:
        facts = {"Access": "read-only" if self.readonly else "locked for writing"}
        if not testing:
            return facts
        count, seen = count_messages(self._file, most_bytes=MOST_COUNTED)
        more = f" (in the first {how_large(seen)})" if seen < os.fstat(self._file.fileno()).st_size else ""
        facts["Messages"] = f"{'at least ' if more else ''}{count}{more}"
        if self.readonly:
            facts["Locked"] = locked_by(self._file, Path(self._path)) or "no"
        return facts

    def failure(self, error: OpenError, origin: Exception) -> OpenError:
        return open_error(error)

    # A file has no link and no server: FileOpening asks for none of these.

    def attach(self, channel: Channel, connection: MailConnection) -> None:
        raise NotImplementedError

    def ask_for_tls(self) -> None:
        raise NotImplementedError

    def greet(self, *, greeted: bool) -> dict[str, str]:
        raise NotImplementedError

    def mechanisms(self) -> list[str]:
        raise NotImplementedError

    def log_in(self, mechanism: Mechanism) -> str | None:
        raise NotImplementedError

    # Reading, no further than needed

    def _lookup(self, key: Any = None) -> Any:
        """As mailbox's: where the message is; without a key, that of all is known afterwards."""
        index = self._index
        if not index.complete:
            index.find(key if isinstance(key, int) else None)
            if index.complete:
                self._next_key = len(index.spans)
                self._file_length = index.position
        if key is None:
            return None
        if key not in index.spans:
            raise KeyError(f"No message with key: {key}")
        start, stop = index.spans[key]
        self._file.seek(start)
        if self._file.read(5) != b"From ":
            raise FileChanged(
                f"{self._path} was changed by another program: its message {key} is not where it was.",
                hint="Open it again.",
            )
        return start, stop

    def get_message(self, key: Any) -> mailbox.mboxMessage:
        """The message; what is not ASCII in its envelope line is replaced."""
        start, stop = self._lookup(key)
        self._file.seek(start)
        envelope = self._file.readline().rstrip(b"\r\n")
        message = mailbox.mboxMessage(self._file.read(max(0, stop - self._file.tell())).replace(_LINE_END, b"\n"))
        message.set_from(envelope[5:].decode("ascii", "replace"))
        return message

    def iterkeys(self) -> Iterator[Any]:
        """The keys, each found when it is asked for."""
        if self._index.complete:
            yield from list(self._index.spans)
            return
        number = 0
        while number in self:
            yield number
            number += 1

    def __contains__(self, key: object) -> bool:
        self._index.find(key if isinstance(key, int) else 0)
        if self._index.complete:
            self._lookup()
        return key in self._index.spans

    def __len__(self) -> int:
        self._lookup()
        return len(self._index.spans)

    # Writing

    def _may_write(self) -> None:
        if self.readonly:
            raise ReadOnly(
                f"{self._path} is open to be read only. Nothing was changed.",
                hint="mailconn.connect(name, readonly=False) opens it for writing, and locks it.",
            )
        # What mailbox does not know of, it would not write back.
        self._lookup()

    def add(self, message: Any) -> Any:
        """Append a message; returns its key."""
        self._may_write()
        return super().add(message)

    def remove(self, key: Any) -> None:
        """Remove a message; the file is rewritten by :meth:`flush`."""
        self._may_write()
        super().remove(key)

    def __setitem__(self, key: Any, message: Any) -> None:
        self._may_write()
        super().__setitem__(key, message)

    def lock(self) -> None:
        """Lock the file, as the session did when it opened it for writing."""
        if self.readonly:
            self._may_write()
        super().lock()

    def flush(self) -> None:
        """Write what is pending: nothing where the session only reads."""
        super().flush()
        if self._toc is not self._index.spans and self._toc is not None:
            # The file was rewritten, and mailbox has opened the new one.
            self._index = MboxIndex(self._file)
            self._index.spans, self._index.complete = self._toc, True

    # Ending

    def quit(self) -> None:
        """Write what is pending, unlock and close, as sessions of the other protocols say farewell."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


_LINE_END: Final = os.linesep.encode()
