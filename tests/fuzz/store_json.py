"""The JSON of the store, changed at random: whatever a file holds, it is read or named, and stays as it is.

A case is the content of one file, which is taken for each that the store has: a connection of the user's own, one that is
shared, the settings, the outcome of a last test, and what is said in clear of a sign-in.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from mailconn_jupyter import MailConnection
from mailconn_jupyter.commands.connection_views import connection_view, connections_view
from mailconn_jupyter.credentials.oauth import token_files
from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.names import encode
from mailconn_jupyter.secret import Secret
from mailconn_jupyter.store import ConnectionStore, last_tests, settings
from tests.support.signing_in import identity_at

from .corpus import JSON_TOKENS, STORED
from .report import run, within

__all__ = ["check", "check_option"]

NAME: Final = "ops"
_MOST_SAID: Final = 20_000  # characters of all that is shown of one broken file


def check(raw: bytes) -> None:
    """Raises where something is not as it should be, whatever the file holds."""
    with tempfile.TemporaryDirectory(prefix="mailconn-store-") as place, within(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place)
        _connections(raw, folder)
        _settings(raw, folder)
        _beside(raw)


def ours(work: Callable[[], object]) -> object:
    """What it returns; an error of ours is a result, and can be shown."""
    try:
        return work()
    except MailConnError as error:
        said = str(error)
        said.encode()
        assert len(said) < _MOST_SAID, len(said)
        return None


def _connections(raw: bytes, folder: Path) -> None:
    own, shared = folder / "own", folder / "shared"
    for each in (own, shared):
        each.mkdir(mode=0o755)
        (each / "ops.json").write_bytes(raw)
        (each / "ops.json").chmod(0o600)
    for store in (ConnectionStore(own, []), ConnectionStore(folder / "none", [shared])):
        _read(store)
        assert (own / "ops.json").read_bytes() == (shared / "ops.json").read_bytes() == raw
    _written(ConnectionStore(own, []), own / "ops.json", raw)


def _read(store: ConnectionStore) -> None:
    found = store.values()
    assert list(store) == [connection.name for connection in found]
    # A file is a connection, or somebody is told of it.
    assert found or store.problems()
    for connection in found:
        for show in (repr, MailConnection._repr_html_, partial(connection_view, store)):
            ours(lambda show=show, one=connection: str(show(one)).encode())  # type: ignore[misc]
        ours(partial(connection.resolved, {}))
        ours(partial(store.where, connection.name))
    said = f"{connections_view(store)}{store.problems()}"
    said.encode()
    assert found or len(said) < _MOST_SAID, len(said)
    ours(partial(store.__getitem__, NAME))
    ours(store.pick)


def _written(store: ConnectionStore, path: Path, raw: bytes) -> None:
    """A change keeps what it does not know; what cannot be read is not changed."""
    names = list(store)
    if not names:
        ours(lambda: store.save(MailConnection(name=NAME, server_host="mail.example.org", username="ana")))
        assert path.read_bytes() == raw
        return
    before = store[names[0]]
    change = {"timeout": 7.0} if before.applies("timeout") else {"server_host": "/another"}
    if ours(lambda: store.update(names[0], **change)) is None:
        assert path.read_bytes() == raw
        return
    after = store[names[0]]
    # NaN is no equal of its own.
    assert json.dumps(after.unknown) == json.dumps(before.unknown)
    assert after.as_dict() == before.as_dict() | change
    ours(lambda: store.rename(names[0], "another"))
    ours(lambda: store.delete("another"))


def _settings(raw: bytes, folder: Path) -> None:
    place = folder / "settings"
    place.mkdir()
    settings.path(place).write_bytes(raw)
    store = ConnectionStore(place, [])
    ours(lambda: settings.read(place))
    assert store.default is None or store.default.encode("utf-8", "replace")
    store.problems()
    ours(store.pick)
    assert settings.path(place).read_bytes() == raw
    ours(lambda: settings.write(place, "default", NAME))
    assert store.default == NAME or settings.path(place).read_bytes() == raw


def _beside(raw: bytes) -> None:
    path = last_tests.folder() / f"{encode(NAME)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    outcome = last_tests.last(NAME)
    assert outcome is None or outcome.summary.encode("utf-8", "replace")
    identity = identity_at("https://login.test")
    path = token_files._path(identity, "json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    token_files.read(identity, Secret("a"))
    token_files.about(identity).who.encode("utf-8", "replace")
    token_files.forget_named("nobody")
    path.unlink()


def check_option(name: str) -> None:
    """Each value that JSON can have is one of the option's, or refused by a sentence."""
    for value in values():
        ours(lambda value=value: MailConnection(**{"name": NAME, name: value}))  # type: ignore[misc]
        ours(lambda value=value: MailConnection(**{"name": NAME, "protocol": "MBOX", name: value}))  # type: ignore[misc]


def values() -> Iterator[Any]:
    """What no option expects, as JSON has it."""
    yield from (None, True, False, 0, -1, 10**30, 10**4000, 10**5000, 0.5, -0.0, 1e308, float("inf"), float("nan"))
    yield from (
        "",
        " ",
        "x" * 100_000,
        "\0",
        "\n",
        "\ud800",
        "${X}",
        "${",
        "\u202e",
        "9" * 5_000,
        "[" * 1_000,
        "a@b",
        "::1",
    )
    yield from ([], {}, [[]], {"a": {}}, ["ops"], [None], {"ops": 1}, _deep(900), _deep(100_000))


def _deep(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


if __name__ == "__main__":
    run(check, STORED, "files of the store", tokens=JSON_TOKENS)
