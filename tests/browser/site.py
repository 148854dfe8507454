"""A real Jupyter server of the tests' own: its folders, its log, and whether a secret is anywhere in them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailconn_jupyter.store import ConnectionStore
from tests.servers.ports import free_ports

#: Whose Jupyter it is. Another than the tests' own shows the package that is installed there, as a wheel for example.
_PYTHON = os.environ.get("BROWSER_PYTHON", sys.executable)
_ROOT = [] if "BROWSER_PYTHON" in os.environ else [str(Path(__file__).parents[2])]

# A keyring that outlives the kernel and encrypts; its own password is no secret of the tests'.
_KEYRING = """
import os
from keyrings.cryptfile.cryptfile import CryptFileKeyring

class Encrypted(CryptFileKeyring):
    priority = 10
    time_cost, memory_cost, parallelism = 1, 64, 1
    keyring_key = "of the keyring itself"
    file_path = os.environ["TEST_KEYRING_FILE"]
"""

_SETTINGS: dict[str, dict[str, object]] = {
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
    "@jupyterlab/apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
}


@dataclass(frozen=True)
class Site:
    """A running Jupyter server; everything that it or its kernels write is under ``folder``."""

    folder: Path
    port: int
    token: str

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def store(self) -> ConnectionStore:
        """The connections of its kernels."""
        return ConnectionStore(self.folder / "home" / ".jupyter" / "mailconn", [])

    @property
    def log(self) -> str:
        """What the server and its kernels wrote, at debug level."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def wait_for_log(self, text: str) -> None:
        """Wait until the log has it: it is written by another process, some time after."""
        end = time.monotonic() + 20
        while text not in self.log:
            assert time.monotonic() < end, f"{text} is not in the log"
            time.sleep(0.1)

    def notebook(self, name: str, *cells: str) -> Path:
        """Put a notebook there."""
        path = self.folder / "notebooks" / f"{name}.ipynb"
        content = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{n}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": cell,
                }
                for n, cell in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "talkative", "display_name": "Talkative", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def setting(self, plugin: str, **values: object) -> None:
        """Set a JupyterLab setting for pages that are opened from now on."""
        path = self.folder / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")

    def ask(self, path: str, method: str = "GET") -> object:
        """Ask the server's own interface."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def end_kernels(self) -> None:
        """Shut every kernel down, as if everybody had gone home."""
        for session in self.ask("sessions"):  # type: ignore[attr-defined]  # a list
            self.ask(f"sessions/{session['id']}", "DELETE")

    def places_of(self, *texts: str) -> list[str]:
        """Which files hold one of the texts, and which text."""
        found = []
        for path in self.folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                found += [f"{path.relative_to(self.folder)}: {text}" for text in texts if text.encode() in data]
        return found


@contextmanager
def run_site(folder: Path) -> Iterator[Site]:
    """Run JupyterLab, with Notebook 7 and Voila beside it, with all its state in a new folder."""
    for name in (
        "home",
        "home/.jupyter",
        "data",
        "settings",
        "workspaces",
        "notebooks",
        "runtime",
        "ipython",
        "python",
    ):
        (folder / name).mkdir(parents=True)
    (folder / "python" / "kernel_keyring.py").write_text(_KEYRING, encoding="utf-8")
    _kernelspec(folder / "data" / "kernels" / "talkative")
    (port,) = free_ports(1)
    site = Site(folder, port, secrets.token_hex(16))
    for plugin, values in _SETTINGS.items():
        site.setting(plugin, **values)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(_command(site), env=_environment(site), cwd=folder, stdout=log, stderr=log)
        try:
            _wait(site, server)
            yield site
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _kernelspec(folder: Path) -> None:
    """A kernel that logs all that it can: a secret in there would be found."""
    folder.mkdir(parents=True)
    argv = [_PYTHON, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--debug"]
    (folder / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Talkative", "language": "python"}), encoding="utf-8"
    )


def _command(site: Site) -> Sequence[str]:
    return [
        *(_PYTHON, "-m", "jupyterlab", "--no-browser", "--allow-root", "--debug"),
        *(f"--port={site.port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={site.token}"),
        *(f"--ServerApp.root_dir={site.folder / 'notebooks'}", "--LabApp.news_url=None", "--expose-app-in-browser"),
        "--VoilaConfiguration.show_tracebacks=True",
    ]


def _environment(site: Site) -> dict[str, str]:
    folder = site.folder
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "MAILCONN", "PYTHON"))}
    return kept | {
        "HOME": str(folder / "home"),
        "JUPYTER_CONFIG_DIR": str(folder / "home" / ".jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join((str(folder / "python"), *_ROOT)),
        "PYTHON_KEYRING_BACKEND": "kernel_keyring.Encrypted",
        "TEST_KEYRING_FILE": str(folder / "keyring.cfg"),
    }


def _wait(site: Site, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            site.ask("status")
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"JupyterLab did not start:\n{site.log[-3000:]}") from None
            time.sleep(0.1)
        else:
            return
