"""PostgreSQL: a database server that a test's own user runs, in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.ports import free_ports
from tests.servers.process import running
from tests.servers.require import is_root, unavailable

__all__ = ["PostgreSQL", "run_postgresql"]

#: As Debian's package has it; it refuses to run as root.
_USER = "postgres"


@dataclass(frozen=True)
class PostgreSQL:
    """A running PostgreSQL on 127.0.0.1, whose users need a password."""

    port: int
    user: str
    password: str
    folder: Path

    @property
    def url(self) -> str:
        """Without the password."""
        return f"postgresql+psycopg://{self.user}@127.0.0.1:{self.port}/postgres"

    def end_links(self) -> None:
        """Restart it at once, as after a failure: every link is lost."""
        pid = int((self.folder / "postmaster.pid").read_text(encoding="ascii").split()[0])
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            if b"postgres: mail" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGTERM)


def _program(name: str) -> str:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)]))
    if found is None:
        unavailable(f"{name} of PostgreSQL is not installed")
    return found


@contextmanager
def run_postgresql(state: Path) -> Iterator[PostgreSQL]:
    """Make a cluster in *state*, and run it."""
    initdb, postgres = _program("initdb"), _program("postgres")
    state.mkdir(mode=0o755)
    folder, password = state / "data", "db-s3cret"
    (state / "password").write_text(password, encoding="ascii")
    other: dict[str, Any] = {}
    if is_root():
        shutil.chown(state, _USER)
        shutil.chown(state / "password", _USER)
        other = {"user": _USER, "group": _USER, "extra_groups": []}
    subprocess.run(
        [
            initdb,
            "-D",
            folder,
            "-U",
            "mail",
            "-A",
            "scram-sha-256",
            f"--pwfile={state / 'password'}",
            "-E",
            "UTF8",
            "--locale=C",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=state,
        **other,
    )
    (port,) = free_ports(1)
    command = [postgres, "-D", str(folder), "-p", str(port), "-k", str(state), "-c", "listen_addresses=127.0.0.1"]
    with running(command, port=port, log=state / "log", stop=signal.SIGINT, **other):
        yield PostgreSQL(port, "mail", password, folder)
