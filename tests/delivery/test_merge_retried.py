"""A merge that is broken off: ``retry()`` goes on with the row at which it was, and sends nobody's message twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import JournalError
from mailconn_jupyter.delivery.journals.journal import Journal
from mailconn_jupyter.delivery.merge import Merge
from tests.servers.counting import CountingServer
from tests.support.batches import arrived, to

ROWS = 250


def failing(usual: Callable[..., Any], at: int, error: BaseException) -> Callable[..., Any]:
    """The same, but that the call of that number fails."""
    calls = 0

    def called(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise error
        return usual(*given)

    return called


@pytest.mark.parametrize(
    ("owner", "name", "at", "error"),
    [
        (Journal, "look_up", 2, JournalError("It is locked.")),
        (Journal, "look_up", 2, KeyboardInterrupt()),
        (Merge, "_message", 120, KeyboardInterrupt()),
    ],
    ids=["the journal fails", "interrupted at the journal", "interrupted at a message"],
)
def test_a_merge_that_ends_early_is_finished_by_retry(
    owner: type, name: str, at: int, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pd.DataFrame({"number": range(ROWS), "mail": [f"u{number}@example.test" for number in range(ROWS)]})
    made = mailconn.merge(
        rows, to="{{ mail }}", subject="number {{ number }}", content="x", sender="bob@example.test", key="mail"
    )
    with CountingServer() as server:
        monkeypatch.setattr(owner, name, failing(getattr(owner, name), at, error))
        try:
            first = mailconn.send_many(to(server.port), made, journal="early", on_progress=False)
        except JournalError as raised:
            first = raised.report
        assert not first.ok
        second = first.retry()
        assert second.ok, second
        assert arrived(server) == {(number, f"u{number}@example.test"): 1 for number in range(ROWS)}
