"""A hub with one administrator and two users, by the lines that they would type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.require import is_root

pytestmark = pytest.mark.skipif(not is_root(), reason="only root can be two users")

ANA, BOB = 1001, 1002
RUN = """
import json, os, sys
from jupyter_core import paths
# The environment of the tests may be one that only root can look into.
paths.ENV_CONFIG_PATH[:] = []
from mailconn_jupyter.console.run_line import main
# Once as root: afterwards the modules of a Python in root's home cannot be imported any more.
with open(os.devnull, "w") as nothing:
    sys.stdout, sys.stderr, out, err = nothing, nothing, sys.stdout, sys.stderr
    for line in (["list"], ["show", "ops"], ["doctor"], ["test", "ops"], ["check", sys.argv[2]]):
        main(line)
    sys.stdout = sys.stderr = out
user = int(sys.argv[1])
os.setgroups([])
os.setgid(user)
os.setuid(user)
os.environ["JUPYTER_CONFIG_DIR"] = sys.argv[3]
os.environ["JUPYTER_DATA_DIR"] = sys.argv[3] + "/data"
for line in json.loads(sys.argv[4]):
    print(">", *line, flush=True)
    print("code", main(line), flush=True)
"""


@dataclass
class Hub:
    """The administrator's folders, and the users' homes."""

    root: Path

    @property
    def layer(self) -> Path:
        return self.root / "etc" / "jupyter" / "mailconn"

    @property
    def hostile(self) -> Path:
        return self.root / "shared" / "jupyter" / "mailconn"

    def put(self, folder: Path, name: str, **options: Any) -> Path:
        path = folder / f"{name}.json"
        path.write_text(json.dumps({"name": name, "server_host": "mail.example.org"} | options), encoding="utf-8")
        path.chmod(0o644)
        return path

    def run(self, user: int, *lines: Sequence[str]) -> list[str]:
        """What a user sees of each line, each with its exit code."""
        home = self.root / f"home{user}"
        environment = os.environ | {
            "JUPYTER_CONFIG_PATH": f"{self.layer.parent}{os.pathsep}{self.hostile.parent}",
            "JUPYTER_CONFIG_DIR": str(self.root / "nobody"),
            # Whose the environment is, Jupyter cannot ask where only root may look into it.
            "JUPYTER_PREFER_ENV_PATH": "0",
            "JUPYTERHUB_USER": {ANA: "ana", BOB: "bob"}[user],
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(user), str(self.layer), str(home), json.dumps(lines)],
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
            env=environment,
        )
        return [part.partition("\n")[2] for part in done.stdout.split("> ")[1:]]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with tempfile.TemporaryDirectory(prefix="mailconn-hub-") as folder:
        hub = Hub(Path(folder))
        hub.root.chmod(0o755)
        for each in (hub.layer, hub.hostile):
            each.mkdir(parents=True)
            for part in (each, each.parent, each.parent.parent):
                part.chmod(0o755)
        for user in (ANA, BOB):
            home = hub.root / f"home{user}"
            home.mkdir(mode=0o700)
            os.chown(home, user, user)
        hub.put(hub.layer, "ops", username="${JUPYTERHUB_USER}", use_authentication=True, locked=True)
        hub.put(hub.layer, "relay", server_port=25)
        yield hub


def test_a_locked_connection_is_both_users_and_neithers_to_change(hub: Hub) -> None:
    lines = (["show", "ops"], ["edit", "ops", "--server-host", "evil.example"], ["delete", "ops", "--yes"], ["list"])
    for user in (ANA, BOB):
        shown, edited, deleted, listed = hub.run(user, *lines)
        assert "shared, locked" in shown
        assert "${JUPYTERHUB_USER}" in shown
        for refused in (edited, deleted):
            assert "is locked: it comes from" in refused
            assert refused.endswith("code 1\n")
        assert "mail.example.org:587" in listed
        assert "evil" not in listed


def test_an_override_is_one_users_own_and_the_other_has_the_shared_one(hub: Hub) -> None:
    made, listed = hub.run(ANA, ["new", "relay", "own.example.org", "--replace"], ["list"])
    assert made.endswith("code 0\n")
    assert "own.example.org" in listed
    assert "own.example.org" not in hub.run(BOB, ["list"])[0]
    [deleted, again] = hub.run(ANA, ["delete", "relay", "--yes"], ["show", "relay"])
    assert "is deleted" in deleted
    assert "mail.example.org" in again


def test_a_layer_that_everybody_can_write_to_is_not_used_and_told(hub: Hub) -> None:
    hub.put(hub.hostile, "evil", server_host="evil.example")
    hub.put(hub.hostile, "ops", server_host="evil.example", locked=True)
    hub.hostile.chmod(0o777)
    for user in (ANA, BOB):
        listed, shown, doctor = hub.run(user, ["list"], ["show", "evil"], ["doctor"])
        assert "evil.example" not in listed
        assert "is not used: everybody can" in listed
        assert "is not used: everybody can" in shown
        assert shown.endswith("code 1\n")
        assert "PROBLEM" in doctor
        assert "chmod o-w" in doctor


def test_what_is_misspelt_or_secret_in_a_shared_file_is_told_to_both_and_shown_to_none(hub: Hub) -> None:
    path = hub.put(hub.layer, "relay", user_name="ana", password="correct-horse")
    for user in (ANA, BOB):
        listed, doctor, checked = hub.run(user, ["list"], ["doctor"], ["check", str(hub.layer)])
        for said in (listed, doctor, checked):
            assert "Unknown key 'user_name'; it is not used. Did you mean 'username'?" in said
            assert "'password' is a secret, which does not belong in a file" in said
            assert "correct-horse" not in said
        assert checked.endswith("2 problems in 2 files.\ncode 1\n")
    path.unlink()
    [checked] = hub.run(BOB, ["check", "--installed", str(hub.layer)])
    assert checked == "1 file: no problems.\ncode 0\n"


def test_the_administrators_secret_is_a_file_that_a_variable_names(hub: Hub) -> None:
    secret = hub.root / "ops-password"
    secret.write_text("correct-horse\n", encoding="utf-8")
    secret.chmod(0o600)
    os.chown(secret, ANA, ANA)
    os.environ["MAILCONN_OPS_PASSWORD_FILE"] = str(secret)
    try:
        [shown] = hub.run(ANA, ["show", "ops"])
    finally:
        del os.environ["MAILCONN_OPS_PASSWORD_FILE"]
    assert "MAILCONN_OPS_PASSWORD_FILE" in shown
    assert "correct-horse" not in shown
