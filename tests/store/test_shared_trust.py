"""Which shared files count: those that only root, the user or the owner of the Python environment could have written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailconn_jupyter.store import ConnectionStore, file_trust
from tests.servers.require import is_root

pytestmark = pytest.mark.skipif(not is_root(), reason="only root can be two users, and mount")

ANA, BOB, TEAM = 1001, 1002, 3000
SEE = """
import os, sys
from pathlib import Path
from mailconn_jupyter.store import ConnectionStore
from mailconn_jupyter.errors import StoreError
own, shared, user, *groups = sys.argv[1:]
store = ConnectionStore(Path(own), [Path(shared)])

def see():
    try:
        yield store["ops"].server_host
    except StoreError as error:
        yield str(error)
    yield from map(str, store.problems())

# Once as root: afterwards the modules of a Python in root's home cannot be imported any more.
list(see())
os.setgroups([int(group) for group in groups])
os.setgid(int(user))
os.setuid(int(user))
print(*see(), sep="\\n")
"""


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that every user can reach: pytest's own are root's alone."""
    with tempfile.TemporaryDirectory(prefix="mailconn-trust-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@pytest.fixture
def layer(room: Path) -> Path:
    """An administrator's folder, as it should be: root's, and nobody else can change it."""
    folder = room / "etc" / "jupyter" / "mailconn"
    folder.mkdir(parents=True)
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o755)
    file = folder / "ops.json"
    file.write_text(json.dumps({"server_host": "shared.example", "locked": True}))
    file.chmod(0o644)
    return folder


def seen(layer: Path, user: int = ANA, *, groups: list[int] | None = None, before: str = "") -> str:
    """What that user has under the name ``ops``, and the problems; ``before``: a shell's line in mounts of its own."""
    home = layer.parents[2] / "home"
    home.mkdir(exist_ok=True)
    (home / "ops.json").write_text(json.dumps({"server_host": "mine.example"}))
    os.chown(home, user, user)
    os.chown(home / "ops.json", user, user)
    home.chmod(0o700)
    (home / "ops.json").chmod(0o600)
    return run(home, layer, user, *(groups or []), before=before)


def run(own: Path, layer: Path, user: int, *groups: int, before: str = "", python: str = sys.executable) -> str:
    command = [python, "-c", SEE, str(own), str(layer), str(user), *map(str, groups)]
    if before:
        command = ["unshare", "--mount", "sh", "-ec", f'{before}; exec "$@"', "sh", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout


def counts(said: str) -> bool:
    first = said.splitlines()[0]
    assert first in {"shared.example", "mine.example"}, said
    # What is not used is told, and what is used is not complained of.
    assert ("is not used" in said) == (first == "mine.example"), said
    return first == "shared.example"


def test_a_folder_of_root_counts_for_every_user(layer: Path) -> None:
    assert counts(seen(layer, ANA))
    assert counts(seen(layer, BOB))


def test_a_folder_of_ones_own_counts_for_its_owner_and_for_nobody_else(layer: Path) -> None:
    for path in (layer, layer / "ops.json"):
        os.chown(path, ANA, ANA)
    assert counts(seen(layer, ANA))
    said = seen(layer, BOB)
    assert not counts(said)
    assert f"{layer} belongs to user {ANA}" in said
    assert f"chown root {layer}" in said


def test_a_folder_of_the_owner_of_the_python_environment_counts(layer: Path, room: Path) -> None:
    for path in (layer, layer / "ops.json"):
        os.chown(path, BOB, BOB)
    assert not counts(seen(layer, ANA))
    environment = room / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    site = next((environment / "lib").glob("python*")) / "site-packages" / "all.pth"
    site.write_text("\n".join(path for path in sys.path if path))
    os.chown(environment, BOB, BOB)
    assert run(room / "none", layer, ANA, python=str(environment / "bin" / "python")).splitlines() == ["shared.example"]


@pytest.mark.parametrize("what", ["folder", "file", "parent", "grandparent"])
def test_what_everybody_can_change_does_not_count_until_it_is_mended(what: str, layer: Path) -> None:
    place = {"folder": layer, "file": layer / "ops.json", "parent": layer.parent, "grandparent": layer.parents[1]}[what]
    place.chmod(place.stat().st_mode | 0o002)
    said = seen(layer)
    assert not counts(said)
    assert f"everybody can change {place}" in said
    [command] = {line.partition("Run: ")[2] for line in said.splitlines() if "Run: " in line}
    subprocess.run(["sh", "-c", command], check=True)
    assert counts(seen(layer))


@pytest.mark.parametrize("what", ["folder", "file", "parent"])
def test_what_another_user_owns_does_not_count(what: str, layer: Path) -> None:
    place = {"folder": layer, "file": layer / "ops.json", "parent": layer.parent}[what]
    os.chown(place, BOB, BOB)
    said = seen(layer)
    assert not counts(said)
    assert f"{place} belongs to user {BOB}" in said


def test_a_folder_below_one_like_tmp_counts_and_one_like_tmp_itself_does_not(layer: Path) -> None:
    layer.parent.chmod(0o1777)
    assert counts(seen(layer))
    layer.chmod(0o1777)
    assert not counts(seen(layer))


def test_a_group_that_the_user_is_not_in_is_the_administrators_and_one_that_he_is_in_is_not(layer: Path) -> None:
    for path in (layer, layer / "ops.json"):
        os.chown(path, 0, TEAM)
        path.chmod(path.stat().st_mode | 0o020)
    assert counts(seen(layer, ANA))
    said = seen(layer, ANA, groups=[TEAM])
    assert not counts(said)
    assert f"the whole group {TEAM} can change {layer}, and you are in it" in said
    # Root's group is root's, and the user's own file is the user's own choice.
    os.chown(layer, 0, 0)
    os.chown(layer / "ops.json", ANA, TEAM)
    assert counts(seen(layer, ANA, groups=[0, TEAM]))


def test_a_link_is_judged_by_where_it_leads(layer: Path, room: Path) -> None:
    theirs = room / "theirs"
    theirs.mkdir()
    theirs.chmod(0o777)
    real = theirs / "anything"
    (layer / "ops.json").rename(real)
    (layer / "ops.json").symlink_to(real)
    said = seen(layer)
    assert not counts(said)
    assert f"everybody can change {theirs}" in said
    theirs.chmod(0o755)
    assert counts(seen(layer))


def test_a_name_that_was_refused_is_listed_in_the_same_kernel_once_the_folder_of_its_link_is_mended(
    layer: Path, room: Path
) -> None:
    theirs = room / "theirs"
    theirs.mkdir()
    (layer / "ops.json").rename(theirs / "ops.json")
    (layer / "ops.json").symlink_to(theirs / "ops.json")
    theirs.chmod(0o777)
    store = ConnectionStore(room / "own", [layer])
    assert list(store.names()) == []
    theirs.chmod(0o755)
    assert list(store.names()) == ["ops"]


def mountable() -> None:
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        pytest.skip(f"nothing can be mounted here: {tried.stderr.strip()}")


def test_a_read_only_mount_counts_whatever_its_modes_say(layer: Path) -> None:
    mountable()
    os.chown(layer / "ops.json", BOB, BOB)
    fill = f"cp -a {layer}/ops.json /mnt; mount -t tmpfs none {layer}; cp -a /mnt/ops.json {layer}"
    fill = f"mount -t tmpfs none /mnt; {fill}; chown {BOB} {layer}; chmod 0777 {layer}; chmod 0666 {layer}/ops.json"
    assert not counts(seen(layer, before=fill))
    assert counts(seen(layer, before=f"{fill}; mount -o remount,ro {layer}"))


def test_a_read_only_bind_of_a_folder_that_its_owner_writes_elsewhere_counts(layer: Path, room: Path) -> None:
    mountable()
    source = room / "source"
    source.mkdir()
    (layer / "ops.json").rename(source / "ops.json")
    (source / "ops.json").chmod(0o666)
    source.chmod(0o777)
    bind = f"mount --bind {source} {layer}; mount -o remount,bind,ro {layer}"
    assert counts(seen(layer, before=bind))
    # As Kubernetes mounts a ConfigMap: through two links.
    links = "mkdir ..one; mv ops.json ..one; ln -s ..one ..data; ln -s ..data/ops.json ops.json"
    subprocess.run(["sh", "-ec", links], cwd=source, check=True)
    assert counts(seen(layer, before=bind))


def test_a_file_of_a_stranger_hides_no_farther_one_and_claims_no_name(layer: Path) -> None:
    stranger = layer / "other.json"
    stranger.write_text(json.dumps({"name": "ops", "server_host": "evil.example", "locked": True}))
    os.chown(stranger, BOB, BOB)
    said = seen(layer)
    assert said.splitlines()[0] == "shared.example"
    assert f"{stranger}: It is not used: {stranger} belongs to user {BOB}" in said


def test_the_error_for_a_name_says_which_file_has_it_and_is_not_used(layer: Path, room: Path) -> None:
    for place in (layer, layer / "ops.json"):
        before = place.stat().st_mode
        place.chmod(0o777)
        said = run(room / "none", layer, ANA)
        place.chmod(before)
        first, second = said.splitlines()[:2]
        assert first == f"There is no connection 'ops'. {layer / 'ops.json'} is not used: everybody can change {place}."
        assert second == f"Run: chmod o-w {place}"


@pytest.mark.parametrize(
    ("folder", "environment", "used"),
    [
        (r"C:\ProgramData\jupyter\mailconn", {"PROGRAMDATA": r"C:\ProgramData"}, False),
        (r"c:\programdata\JUPYTER\mailconn", {"PROGRAMDATA": r"C:\ProgramData"}, False),
        (r"C:\ProgramData\jupyter\mailconn", {"PROGRAMDATA": r"C:\ProgramData", "JUPYTER_USE_PROGRAMDATA": "1"}, True),
        (r"C:\Python\etc\jupyter\mailconn", {"PROGRAMDATA": r"C:\ProgramData"}, True),
        (r"D:\hub\mailconn", {}, True),
    ],
)
def test_on_windows_everybodys_program_data_counts_only_where_jupyter_is_told_to_use_it(
    folder: str, environment: dict[str, str], used: bool
) -> None:
    assert (file_trust.refusal_on_windows(folder, environment) is None) == used


@pytest.mark.skipif(not is_root(), reason="only root can be another user")
def test_a_folder_that_its_user_may_not_look_into_does_not_count_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "closed" / "mailconn").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    script = (
        "import os, sys\nfrom pathlib import Path\n"
        "from mailconn_jupyter.store.file_trust import refusal_of_folder\n"
        "os.setgroups([])\nos.setuid(1001)\nprint(refusal_of_folder(Path(sys.argv[1])))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "closed" / "mailconn")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2]
    )
    assert (done.stdout, done.stderr) == ("None\n", "")
