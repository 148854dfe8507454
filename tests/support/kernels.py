"""Several kernels at once, each a process of its own (:mod:`tests.support.oauth_process`)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.servers.issuer import Issuer

__all__ = ["said_by"]


def said_by(count: int, folder: Path, issuer: Issuer, mode: str, told: Mapping[str, object]) -> list[str]:
    """What each of them says, who begin at the same moment; their keyring is in ``folder``."""
    command = [sys.executable, "-m", "tests.support.oauth_process", str(folder), str(issuer.certificates.ca.pem), mode]
    command.append(json.dumps(told))
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") for _ in range(count)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate()[0].strip() for process in processes]
