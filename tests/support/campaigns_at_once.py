"""A part of a campaign in a process of its own: ``python -m tests.support.campaigns_at_once PICKLE FROM TO``."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

from tests.support.campaigns import customers

__all__: list[str] = []


def main(campaign: str, start: str, end: str) -> None:
    part = pickle.loads(Path(campaign).read_bytes())
    print("begun", flush=True)  # noqa: T201  # whoever started it waits for this
    frame = part.send_part(customers(int(end))[int(start) :])
    print(json.dumps(frame["outcome"].value_counts().to_dict()), flush=True)  # noqa: T201  # the same


if __name__ == "__main__":
    main(*sys.argv[1:])
