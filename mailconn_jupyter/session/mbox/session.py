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
from ...forks import in_children
from ..opening.stages import Listener
from .errors import FileChanged, ReadOnly
from .file_lock import open_file
from .file_stages import FileOpening, MBOXAdapter
from .index import MboxIndex
from .number_keys import NumberedMbox
from .rewrite import rewrite

__all__ = ["MBOXSession"]


class MBOXSession(NumberedMbox):
    """A mailbox file, usable wherever a ``mailbox.mbox`` is; also a context manager that closes it.

    ``MBOXSession(connection=connection)`` opens the file that the
    :class:`~mailconn_jupyter.connection.MailConnection` names; :func:`mailconn_jupyter.connect` is the short way. The
    file is never made by opening it. Its messages are found as they are asked for: showing the first one of a large file
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
    _pending_sync: bool
    _locked: bool
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
        self.connection = connection
        self.opening: FileOpening | None = None
        self.readonly = readonly
        # mailbox opens a file when it is made, and this session has not found its own yet.
        super().__init__(os.devnull, create=False)
        self.take(self._file, os.devnull)
        in_children(self._let_go)
        if connection is None:
            return
        self.opening = FileOpening(connection, listener=listener, cancel=cancel, ask=ask)
        self.opening.run(self.adapter)

    #: What opens it.
    opening_class = FileOpening

    @property
    def adapter(self) -> MBOXAdapter:
        """How a session of this protocol is opened."""
        return MBOXAdapter(self)

    def take(self, file: BinaryIO, path: str) -> None:
        """Read this file from now on."""
        if self._file is not file:
            self._file.close()
        self._file, self._path = file, path
        self._index, self._file_length = MboxIndex(file), None
        # Shared: what the index finds, mailbox sees.
        self._toc = self._index.spans

    @property
    def file(self) -> BinaryIO:
        """The file, open for reading at least; to read it elsewhere does not disturb the session."""
        return self._file

    @property
    def path(self) -> str:
        """Where the file is."""
        return self._path

    @property
    def all_found(self) -> bool:
        """Whether it is known of every message where it is, without reading on."""
        return self._index.complete

    def span(self, key: Any) -> tuple[int, int]:
        """Where a message begins and ends in the file, in bytes; raises KeyError where there is no such key."""
        found: tuple[int, int] = self._lookup(key)
        return found

    def _let_go(self) -> None:
        # The place in the file is the parent's, and so are its lock and what it has not written yet: a child reads what is
        # in the file by itself, and writes nothing. The parent's is not even closed, which would write.
        self._parents = self._file
        try:
            self._file = open_file(Path(self._path), readonly=True)
        except OSError:
            self._file = Path(os.devnull).open("rb")  # noqa: SIM115  # closed with the session; noop() says it is gone
        self.readonly, self._locked, self._pending = True, False, False
        self.take(self._file, self._path)

    def noop(self) -> None:
        """Make sure that the file is still there, and still the same; raises where another program has replaced it."""
        try:
            there = os.path.samestat(Path(self._path).stat(), os.fstat(self._file.fileno()))
        except OSError as error:
            raise FileChanged(f"{self._path} is no longer there ({error.strerror}).") from error
        if not there:
            raise FileChanged(f"{self._path} was replaced by another program.", hint="Open it again.")

    # Reading, no further than needed

    def _lookup(self, key: Any = None) -> Any:
        """As mailbox's: where the message is; without a key, that of all is known afterwards."""
        index = self._index
        if not index.complete:
            index.find(key if isinstance(key, int) else None)
        if index.complete and self._file_length is None:
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
                f"{self._path} was changed by another program: its message {key} has moved.",
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

    def require_writable(self) -> None:
        """Raise where the session was opened to read only."""
        if self.readonly:
            raise ReadOnly(
                f"{self._path} is open read-only. Nothing was changed.",
                hint="mailconn.connect(name, readonly=False) opens it for writing, and locks it.",
            )

    def _may_write(self) -> None:
        self.require_writable()
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
        self.require_writable()
        super().lock()

    def flush(self) -> None:
        """Write what is pending, in place: nothing where the session only reads."""
        if self._pending and self._toc is not None:
            self._take_in_appended(self._toc)
            self._toc = self._index.spans = rewrite(self._file, self._path, self._toc)
            self._file_length = self._file.seek(0, os.SEEK_END)
            self._pending = self._pending_sync = False
        super().flush()

    def _take_in_appended(self, known: dict[int, tuple[int, int]]) -> None:
        """Find what was appended by a program that does not ask for the lock: it stays."""
        length = self._file_length or 0
        if (size := self._file.seek(0, os.SEEK_END)) < length:
            raise FileChanged(
                f"{self._path} was changed by another program: it is shorter than it was.", hint="Open it again."
            )
        if size > length:
            appended = MboxIndex(self._file, length)
            appended.find()
            for span in appended.spans.values():
                known[self._next_key] = span
                self._next_key += 1
            self._lengthen_last(known, length, appended.spans[0][0] if appended.spans else size)

    def _lengthen_last(self, known: dict[int, tuple[int, int]], length: int, end: int) -> None:
        """Give the last message the rest of it, where its program had not written it all when the file was read."""
        for key, (start, stop) in known.items():
            if end > length and length - len(_LINE_END) <= stop <= length:
                self._file.seek(end - len(_LINE_END) - 1)
                empty = self._file.read(len(_LINE_END) + 1) == b"\n" + _LINE_END
                known[key] = start, end - len(_LINE_END) if empty else end

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
