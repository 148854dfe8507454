"""A campaign to numbered customers, whose messages :func:`~tests.support.batches.arrived` counts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mailconn_jupyter import Campaign, MailConnection
from tests.support.batches import to

__all__ = ["campaign_to", "customers"]


def customers(count: int) -> pd.DataFrame:
    """The rows: ``customer 0`` with the address ``user0@example.test``, and so on."""
    names = [f"user{number}@example.test" for number in range(count)]
    return pd.DataFrame(
        {"id": [f"customer {number}" for number in range(count)], "number": range(count), "email": names}
    )


def campaign_to(
    target: int | str | MailConnection, journal: str | None = None, *, name: str = "spring", **options: Any
) -> Campaign:
    """A number is the port of a server that takes everything."""
    fields = {"to": "email", "subject": "number {{ number }}", "content": "This is number {{ number }}.", "key": "id"}
    return Campaign(name, to(target) if isinstance(target, int) else target, journal=journal, **fields | options)
