from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailconn_jupyter import credentials
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.errors import ConnectionChanged, CredentialError, OptionError, StoreError
from mailconn_jupyter.store import ConnectionStore, UnknownConnection, atomic_files, connections, last_tests
from tests.benchmarks.bench_store import fill
from tests.support.isolation import give_password
from tests.support.keyring_backends import Raising, using

TYPED_NAMES = [
    "Ops",
    "a/b",
    "a\\b",
    "..",
    ".",
    ".hidden",
    "../../etc/passwd",
    "CON",
    "com1",
    "nul",
    "quotes \" and ' and `",
    "100% sure",
    "%2E",
    "a.json",
    "x:y*z?<|>",
    "${HOME}",
    "Почта отдела",
    "邮件服务器",
    "メール",
    "بريد",
    "ईमेल",
    "Straße",
    "İstanbul",
    "👩‍💻 deploy 🚀",
    "n" * 200,
    "й" * 200,
    "🚀" * 200,
    "🚀" * 199 + "x",
]


def connection(name: str = "ops", **options: Any) -> MailConnection:
    return MailConnection(**({"name": name, "server_host": "mail.example.org"} | options))


@pytest.fixture
def store(tmp_path: Path) -> ConnectionStore:
    return ConnectionStore(tmp_path / "mine", [tmp_path / "near", tmp_path / "far"])


def put(folder: Path, file: str, content: object) -> Path:
    folder.mkdir(exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    path = folder / file
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    path.chmod(0o600)
    return path


def messages(store: ConnectionStore) -> dict[str, str]:
    found: dict[str, str] = {}
    for problem in store.problems():
        found[problem.path.name] = f"{found.get(problem.path.name, '')} {problem.message}"
    return found


def script(body: str, *arguments: object) -> list[str]:
    start = (
        "import os, sys\nfrom pathlib import Path\nfrom mailconn_jupyter.connection import MailConnection\n"
        "from mailconn_jupyter.errors import ConnectionChanged, StoreError\n"
        "from mailconn_jupyter.store import ConnectionStore\nstore = ConnectionStore(Path(sys.argv[1]), [])\n"
    )
    return [sys.executable, "-c", start + body, *map(str, arguments)]


def test_what_was_saved_is_read_back_with_every_option(store: ConnectionStore) -> None:
    saved = connection("Ops", username="ana", server_port=2525, use_proxy=True, proxy_host="proxy", timeout=3)
    store.save(saved)
    assert store["ops"] == saved
    assert repr(store["OPS"]) == repr(saved)
    assert list(store) == ["Ops"]
    assert "oPs" in store
    assert 7 not in store
    assert len(store) == 1


def test_the_file_is_json_with_two_spaces_and_a_final_line_break(store: ConnectionStore) -> None:
    saved = connection("Prüfung")
    store.save(saved)
    data = store.where("Prüfung").path.read_bytes()
    assert data.decode() == json.dumps(saved.as_dict(), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_folder_and_files_are_the_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = ConnectionStore(tmp_path / "new" / "mailconn", [])
        store.save(connection())
        store.default = "ops"
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    files = [store.where("ops").path, store.folder / ".settings.json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600, 0o600]
    assert store.problems() == []


@pytest.mark.parametrize("name", TYPED_NAMES)
def test_any_name_that_a_person_types_can_be_saved_found_renamed_and_deleted(store: ConnectionStore, name: str) -> None:
    store.save(connection(name))
    assert store[name].name == name
    assert store[name.upper()].name == name or name.upper().casefold() != name.casefold()
    (file,) = (path for path in store.folder.iterdir() if path.suffix == ".json")
    assert len(file.name.encode()) <= 185
    assert file.parent == store.folder
    store.rename(name, "plain")
    store.rename("plain", name)
    assert list(store) == [name]
    assert store.delete(name) == []
    assert list(store) == []


def test_all_those_names_are_different_connections(store: ConnectionStore) -> None:
    for name in TYPED_NAMES:
        store.save(connection(name))
    assert sorted(store) == sorted(TYPED_NAMES)
    assert store.problems() == []


def test_names_are_listed_without_regard_to_case(store: ConnectionStore) -> None:
    for name in ("beta", "Alpha", "Gamma", "delta"):
        store.save(connection(name))
    assert list(store) == ["Alpha", "beta", "delta", "Gamma"]


def test_composed_and_decomposed_names_are_one_connection(store: ConnectionStore) -> None:
    store.save(connection("Müller"))
    assert "mu\u0308ller" in store


def test_an_unknown_name_is_a_key_error_that_proposes_the_near_one(store: ConnectionStore) -> None:
    store.save(connection("Weekly report"))
    with pytest.raises(
        UnknownConnection, match=r"There is no connection 'weekly reprot'\. Did you mean 'Weekly"
    ) as info:
        store["weekly reprot"]
    assert isinstance(info.value, KeyError)
    for odd in ("", "  ", "\ud800", "a\0b"):
        with pytest.raises(UnknownConnection):
            store[odd]


def test_an_incomplete_connection_is_not_saved(store: ConnectionStore) -> None:
    with pytest.raises(OptionError, match="Server host: missing"):
        store.save(MailConnection(name="ops"))
    assert not store.folder.exists()


# --- somebody else's changes


def test_saving_what_was_changed_since_it_was_read_is_refused(store: ConnectionStore) -> None:
    store.save(connection())
    mine, theirs = store["ops"], store["ops"]
    theirs.timeout = 5
    store.save(theirs)
    mine.timeout = 6
    with pytest.raises(ConnectionChanged) as info:
        store.save(mine)
    assert info.value.message == "'ops' was changed by someone else since it was read."
    assert info.value.hint == "Read it again with connections['ops'], or save(..., replace=True)."
    assert store["ops"].timeout == 5
    store.save(mine, replace=True)
    assert store["ops"].timeout == 6


def test_saving_what_was_deleted_since_it_was_read_is_refused(store: ConnectionStore) -> None:
    store.save(connection())
    mine = store["ops"]
    store.delete("ops")
    with pytest.raises(ConnectionChanged):
        store.save(mine)
    assert "ops" not in store


def test_one_object_can_be_saved_again_and_again(store: ConnectionStore) -> None:
    mine = connection()
    for seconds in (1, 2, 3):
        mine.timeout = seconds
        store.save(mine)
    assert store["ops"].timeout == 3


def test_a_new_connection_does_not_take_the_place_of_another(store: ConnectionStore) -> None:
    store.save(connection("Ops"))
    with pytest.raises(StoreError, match="A connection 'Ops' already exists") as info:
        store.save(connection("OPS", timeout=9))
    assert "replace=True" in info.value.hint
    assert store["ops"].timeout == 20
    store.save(connection("OPS", timeout=9), replace=True)
    assert [(found.name, found.timeout) for found in store.values()] == [("OPS", 9)]


def test_a_connection_read_here_is_new_under_another_name_and_in_another_store(
    store: ConnectionStore, tmp_path: Path
) -> None:
    store.save(connection())
    other = ConnectionStore(tmp_path / "other", [])
    other.save(store["ops"])
    twin = store["ops"]
    twin.name = "ops2"
    store.save(twin)
    assert list(store) == ["ops", "ops2"]
    assert list(other) == ["ops"]


def test_unknown_keys_survive_every_rewrite(store: ConnectionStore) -> None:
    later = {"format": 1, "note": "Grüße", "x": {"deep": [1, None]}, "half": "\ud800"}
    path = put(store.folder, "ops.json", {"name": "ops", "server_host": "a.example", **later})
    store.update("ops", timeout=4)
    store.save(connection("ops", timeout=5), replace=True)
    store.rename("ops", "OPS")
    store.rename("OPS", "other")
    assert not path.exists()
    found = json.loads(store.where("other").path.read_bytes())
    assert {key: found[key] for key in later} == later
    assert store["other"].unknown == later


def test_a_key_that_came_into_the_file_meanwhile_survives_a_replacing_save(store: ConnectionStore) -> None:
    store.save(connection())
    mine = store["ops"]
    mine.unknown["mine"] = 1
    path = store.where("ops").path
    path.write_text(json.dumps(json.loads(path.read_text()) | {"theirs": 2}))
    store.save(mine, replace=True)
    assert store["ops"].unknown == {"mine": 1, "theirs": 2}


def test_an_unknown_key_that_was_taken_out_stays_out(store: ConnectionStore) -> None:
    put(store.folder, "ops.json", {"name": "ops", "server_host": "a.example", "note": 1})
    mine = store["ops"]
    del mine.unknown["note"]
    store.save(mine)
    assert "note" not in store["ops"].unknown


@pytest.mark.parametrize("value", [object(), {1, 2}, "x" * 2_000_000])
def test_a_key_that_cannot_be_kept_leaves_the_file_as_it_was(store: ConnectionStore, value: object) -> None:
    store.save(connection())
    mine = store["ops"]
    mine.unknown["odd"] = value
    with pytest.raises(StoreError, match="'ops'"):
        store.save(mine)
    assert store["ops"].unknown == {}


def test_an_update_changes_what_it_names_and_nothing_when_one_value_is_bad(store: ConnectionStore) -> None:
    store.save(connection(timeout=7))
    assert store.update("OPS", username="ana").use_authentication is True
    assert (store["ops"].username, store["ops"].timeout) == ("ana", 7)
    with pytest.raises(OptionError, match="70000 is not a port"):
        store.update("ops", timeout=9, server_port=70000)
    assert store["ops"].timeout == 7
    with pytest.raises(StoreError, match="cannot be renamed by an update"):
        store.update("ops", name="other")


# --- crashes and crowds


SAVE_200 = """
mine = {number: store[f"c{number}"] for number in range(20)}
print("go", flush=True)
for turn in range(200):
    one = mine[turn % 20]
    one.timeout = one.deadline = turn + 1
    store.save(one)
print("done", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_kill_9_in_the_midst_of_200_saves_loses_and_halves_no_connection(tmp_path: Path) -> None:
    store = ConnectionStore(tmp_path / "mailconn", [])
    for number in range(20):
        store.save(connection(f"c{number}", timeout=1, deadline=1, from_address="x" * 4000))
    killed = 0
    chance = random.Random(42)
    for _ in range(20):
        with subprocess.Popen(script(SAVE_200, store.folder), stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "go\n"
            time.sleep(chance.uniform(0, 0.12))
            child.send_signal(signal.SIGKILL)
            killed += child.stdout.read() == ""
        assert [found.name for found in store.values()] == sorted(f"c{number}" for number in range(20))
        assert all(found.timeout == found.deadline for found in store.values())
        assert store.problems() == []
    assert killed >= 10, "the kills came too late to prove anything"
    store.update("c0", timeout=2, deadline=2)
    assert [path.name for path in store.folder.glob(".*.tmp")] == []


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_the_temporary_file_of_a_writer_killed_before_the_rename_is_swept_by_the_next(tmp_path: Path) -> None:
    store = ConnectionStore(tmp_path / "mailconn", [])
    store.save(connection(timeout=1))
    die = "import signal\nos.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\nstore.update('ops', timeout=2)\n"
    assert subprocess.run(script(die, store.folder), check=False).returncode == -signal.SIGKILL
    (left,) = store.folder.glob(".*.tmp")
    foreign = put(store.folder, ".somebody-elses.tmp", "x")
    assert store["ops"].timeout == 1
    store.update("ops", timeout=3)
    assert not left.exists()
    assert foreign.exists()


START_TOGETHER = "print('ready', flush=True)\ninput()\n"

COUNT = """
for turn in range(200):
    name = f"c{turn % 20}"
    while True:
        one = store[name]
        one.unknown["changes"] = one.unknown.get("changes", 0) + 1
        try:
            store.save(one)
            break
        except ConnectionChanged:
            pass
"""

UPDATE = """
option = sys.argv[2]
for turn in range(200):
    name = f"c{turn % 20}"
    store.update(name, **{option: getattr(store[name], option) + 1})
"""


def run_two(folder: Path, body: str, *arguments: str) -> None:
    commands = [script(START_TOGETHER + body, folder, argument) for argument in arguments]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for command in commands
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=120)
    assert [child.returncode for child in children] == [0, 0]


def test_two_processes_with_200_changes_each_on_20_connections_lose_none(tmp_path: Path) -> None:
    store = ConnectionStore(tmp_path / "mailconn", [])
    for number in range(20):
        store.save(connection(f"c{number}"))
    run_two(store.folder, COUNT, "one", "two")
    assert [found.unknown["changes"] for found in store.values()] == [20] * 20


def test_two_processes_with_200_updates_each_on_20_connections_lose_none(tmp_path: Path) -> None:
    store = ConnectionStore(tmp_path / "mailconn", [])
    for number in range(20):
        store.save(connection(f"c{number}", timeout=1, deadline=1))
    run_two(store.folder, UPDATE, "timeout", "deadline")
    assert [(found.timeout, found.deadline) for found in store.values()] == [(11, 11)] * 20


@pytest.mark.skipif(os.name == "nt", reason="a limit of POSIX")
def test_a_full_disk_is_told_and_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    store = ConnectionStore(tmp_path / "mailconn", [])
    store.save(connection(timeout=1))
    before = store.where("ops").path.read_bytes()
    full = (
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try:\n    store.update('ops', timeout=2)\nexcept StoreError as error:\n    print(error)\n"
    )
    told = subprocess.run(script(full, store.folder), capture_output=True, text=True, check=True)
    assert f"{store.folder} cannot be written to: File too large." in told.stdout
    assert store.where("ops").path.read_bytes() == before
    assert list(store.folder.glob(".*.tmp")) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        store = ConnectionStore(folder, [])
        with pytest.raises(StoreError, match=r"cannot be written to: .*[Nn]ot a (folder|directory)"):
            store.save(connection())
        assert list(store) == []
        assert store.problems()
    assert (tmp_path / "file").read_text() == "x"


def test_a_folder_that_another_process_keeps_locked_is_told(
    store: ConnectionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(connection())
    monkeypatch.setattr("mailconn_jupyter.store.atomic_files.LOCK_SECONDS", 0.1)
    hold = "from mailconn_jupyter.store import atomic_files\nwith atomic_files.locked(store.folder):\n    print('held', flush=True)\n    input()"
    with subprocess.Popen(
        script(hold, store.folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=r"is locked: another process .* more than 0\.1 seconds"):
            store.update("ops", timeout=2)
        assert store["ops"].timeout == 20
        child.communicate("\n")
    store.update("ops", timeout=2)


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_a_linked_file_and_a_linked_folder_stay_links(tmp_path: Path) -> None:
    real, dotfiles = tmp_path / "real", tmp_path / "dotfiles"
    real.mkdir(mode=0o700)
    (tmp_path / "mailconn").symlink_to(real)
    target = put(dotfiles, "mail-ops.json", {"name": "ops", "server_host": "a.example"})
    (real / "ops.json").symlink_to(target)
    store = ConnectionStore(tmp_path / "mailconn", [])
    store.update("ops", timeout=3)
    store.save(connection("two"))
    assert store.folder.is_symlink()
    assert (real / "two.json").is_file()
    assert (real / "ops.json").is_symlink()
    assert json.loads(target.read_text())["timeout"] == 3
    store.rename("ops", "three")
    assert (real / "three.json").is_symlink()
    assert json.loads(target.read_text())["name"] == "three"
    store.delete("three")
    assert target.exists()
    assert sorted(path.name for path in dotfiles.iterdir()) == ["mail-ops.json"]


# --- files that cannot be read


BROKEN = {
    "truncated": ('{"name": "truncated", "server_h', "it is not JSON (line 1, column"),
    "empty": ("", "it is not JSON"),
    "list": ("[1, 2]", "it is not a JSON object"),
    "foreign": ('{"kernel": "python3"}', "it is not a mail server connection"),
    "future": ('{"format": 2, "server_host": "a"}', "it has the format 2, of a newer version"),
    "port": ('{"server_host": "a", "server_port": 70000}', "Server port: 70000 is not a port"),
    "deep": ("[" * 100_000, "it is not JSON that can be read"),
    "digits": ('{"server_host": "a", "timeout": 1' + "0" * 400 + "}", "Timeout: 1000"),
    "large": ('{"server_host": "a", "x": "' + "x" * 1_100_000 + '"}', "it is larger than 1000 kB"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_read_is_named_and_left_alone_while_the_others_work(
    store: ConnectionStore, name: str
) -> None:
    content, reason = BROKEN[name]
    store.save(connection("good"))
    path = put(store.folder, f"{name}.json", content)
    with pytest.raises(StoreError) as info:
        store[name]
    assert str(path) in info.value.message
    assert reason in info.value.message
    assert not isinstance(info.value, KeyError)
    assert list(store) == ["good"]
    assert name not in store
    assert reason in messages(store)[path.name]
    for attempt in (
        lambda: store.save(connection(name)),
        lambda: store.save(connection(name), replace=True),
        lambda: store.update(name, timeout=1),
        lambda: store.rename("good", name),
        lambda: store.rename(name, "else"),
        lambda: store.delete(name),
        lambda: store.where(name),
    ):
        with pytest.raises(StoreError):
            attempt()
    assert path.read_text() == content
    assert list(store) == ["good"]


@pytest.mark.skipif(os.name == "nt", reason="files of POSIX")
def test_what_is_no_file_does_not_hold_up_the_listing(store: ConnectionStore) -> None:
    store.save(connection("good"))
    (store.folder / "folder.json").mkdir()
    os.mkfifo(store.folder / "fifo.json", 0o600)
    (store.folder / "nowhere.json").symlink_to(store.folder / "missing")
    (store.folder / "circle.json").symlink_to(store.folder / "circle.json")
    (store.folder / "binary.json").write_bytes(b"\xff\xfe\x00")
    (Path(os.fsdecode(bytes(store.folder) + b"/\xff.json"))).write_bytes(b'{"server_host": "a"}')
    assert list(store) == ["good"]
    found = messages(store)
    assert "it is not a file" in found["folder.json"]
    assert "it is not a file" in found["fifo.json"]
    assert "the link is broken" in found["nowhere.json"]
    assert "symbolic links" in found["circle.json"]
    assert "it is not UTF-8 text" in found["binary.json"]
    assert all(str(problem).encode() for problem in store.problems())
    with pytest.raises(StoreError, match="is broken"):
        store.save(connection("nowhere"), replace=True)


def test_files_made_by_hand_count_by_their_name_or_their_stem(store: ConnectionStore) -> None:
    put(store.folder, "Team Mail.json", {"server_host": "a.example", "username": None, "server_port": None})
    put(store.folder, "whatever.json", {"name": "Ops", "server_host": "b.example"})
    (store.folder / "bom.json").write_bytes(b'\xef\xbb\xbf{"server_host": "c.example"}')
    assert list(store) == ["bom", "Ops", "Team Mail"]
    store.update("ops", timeout=3)
    assert store.where("ops").path.name == "whatever.json"
    with pytest.raises(StoreError, match=r"whatever\.json is in the way: it holds the connection 'Ops'"):
        store.save(connection("whatever"), replace=True)
    store.rename("team mail", "TEAM MAIL")
    assert store.where("team mail").path.name == "Team Mail.json"
    store.rename("OPS", "whatever")
    assert json.loads((store.folder / "whatever.json").read_text())["name"] == "whatever"


def test_of_two_files_with_one_name_the_usual_one_wins_and_the_other_is_named(store: ConnectionStore) -> None:
    put(store.folder, "a.json", {"name": "Ops", "server_host": "wrong.example"})
    put(store.folder, "ops.json", {"name": "ops", "server_host": "right.example"})
    assert store["ops"].server_host == "right.example"
    assert [found.server_host for found in store.values()] == ["right.example"]
    assert "has the same connection name 'ops'" in messages(store)["a.json"]
    assert store.delete("ops") == [f"{store.folder / 'a.json'} has the same connection name and is still there."]


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_files_that_others_can_read_are_reported_with_the_command_that_mends_it(store: ConnectionStore) -> None:
    store.save(connection("it's open"))
    path = store.where("it's open").path
    path.chmod(0o640)
    store.folder.chmod(0o755)
    near = put(store.layers[0], "shared.json", {"server_host": "a.example"})
    near.chmod(0o644)
    commands = [problem.message.partition("Run: ")[2] for problem in store.problems()]
    assert len(commands) == 2
    for command in commands:
        subprocess.run(command, shell=True, check=True)
    assert store.problems() == []
    near.chmod(0o666)
    (problem,) = store.problems()
    assert problem.message == f"It is not used: everybody can change {near}. Run: chmod o-w {near}"


# --- layers


def test_the_users_own_comes_before_a_shared_one_and_the_nearest_shared_one_first(store: ConnectionStore) -> None:
    for folder in store.layers:
        put(folder, "ops.json", {"server_host": f"{folder.name}.example", "team": "x", "locked": False})
    put(store.layers[1], "far.json", {"name": "Far", "server_host": "far.example"})
    assert store["ops"].server_host == "near.example"
    assert store.where("ops").layer == "shared"
    with pytest.raises(StoreError, match="already exists"):
        store.save(connection("ops"))
    mine = store["ops"]
    mine.server_host = "mine.example"
    store.save(mine)
    assert [found.server_host for found in store.values()] == ["far.example", "mine.example"]
    where = store.where("ops")
    assert (where.layer, where.locked, where.path) == ("user", False, store.folder / "ops.json")
    assert abs(where.modified - datetime.now(UTC)) < timedelta(minutes=1)
    assert store["ops"].unknown == {"team": "x"}
    store.delete("ops")
    assert store["ops"].server_host == "near.example"


def test_a_locked_shared_connection_comes_before_all_and_the_farthest_locked_one_wins(store: ConnectionStore) -> None:
    store.save(connection("ops", server_host="mine.example"))
    near = put(store.layers[0], "ops.json", {"server_host": "near.example", "locked": True})
    assert store["ops"].server_host == "near.example"
    far = put(store.layers[1], "by hand.json", {"name": "OPS", "server_host": "far.example", "locked": True})
    assert store["ops"].server_host == "far.example"
    assert [found.server_host for found in store.values()] == ["far.example"]
    assert store.where("ops").locked
    before = (store.folder / "ops.json").read_bytes(), near.read_bytes(), far.read_bytes()
    for attempt in (
        lambda: store.save(store["ops"]),
        lambda: store.save(connection("ops"), replace=True),
        lambda: store.update("ops", timeout=1),
        lambda: store.delete("ops"),
        lambda: store.rename("ops", "other"),
        lambda: store.rename("ops", "OPS"),
    ):
        with pytest.raises(StoreError, match=f"is locked: it comes from {far}"):
            attempt()
    assert ((store.folder / "ops.json").read_bytes(), near.read_bytes(), far.read_bytes()) == before


def test_a_shared_connection_is_neither_deleted_nor_renamed(store: ConnectionStore) -> None:
    path = put(store.layers[0], "ops.json", {"server_host": "near.example"})
    for attempt in (lambda: store.delete("ops"), lambda: store.rename("ops", "other")):
        with pytest.raises(StoreError, match=f"'ops' is shared: it comes from {path}"):
            attempt()
    assert path.exists()


def test_a_lock_in_the_users_own_file_or_of_another_kind_locks_nothing(store: ConnectionStore) -> None:
    put(store.folder, "ops.json", {"server_host": "mine.example", "locked": True})
    put(store.layers[0], "odd.json", {"server_host": "near.example", "locked": "yes"})
    store.update("ops", timeout=3)
    assert json.loads((store.folder / "ops.json").read_text())["locked"] is True
    assert '"locked" is neither true nor false' in messages(store)["odd.json"]


def test_the_folders_are_those_of_jupyter_at_the_time_of_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "one"))
    assert connections.folder == tmp_path / "one" / "mailconn"
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "two"))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", os.pathsep.join([str(shared), str(tmp_path / "two")]))
    assert connections.folder == tmp_path / "two" / "mailconn"
    assert connections.layers[0] == shared / "mailconn"
    assert connections.folder not in connections.layers
    put_in = shared / "mailconn"
    put_in.mkdir(parents=True)
    put(put_in, "hub.json", {"server_host": "hub.example"})
    assert connections["hub"].server_host == "hub.example"


# --- rename, delete, default, pick


def test_a_rename_takes_the_secrets_the_last_test_and_the_default_along(store: ConnectionStore) -> None:
    store.save(connection("ops"))
    give_password("ops", "geheim")
    last_tests.record("ops", ok=True, summary="good", milliseconds=1)
    store.default = "ops"
    store.rename("OPS", "Weekly")
    assert list(store) == ["Weekly"]
    assert "ops" not in store
    assert credentials.where("ops") == ""
    assert credentials.where("weekly") == "in this kernel only"
    assert last_tests.last("ops") is None
    assert last_tests.last("weekly") is not None
    assert store.default == "Weekly"
    store.rename("weekly", "WEEKLY")
    assert (list(store), store.default) == (["WEEKLY"], "WEEKLY")
    assert credentials.where("weekly") == "in this kernel only"
    assert last_tests.last("weekly") is not None


def test_a_name_that_is_taken_or_bad_is_no_target(store: ConnectionStore) -> None:
    store.save(connection("ops"))
    store.save(connection("Other"))
    put(store.layers[0], "shared.json", {"server_host": "near.example"})
    for new in ("OTHER", "shared"):
        with pytest.raises(StoreError, match="already exists"):
            store.rename("ops", new)
    with pytest.raises(OptionError, match="needs a name"):
        store.rename("ops", " ")
    with pytest.raises(UnknownConnection):
        store.rename("nobody", "else")
    assert list(store) == ["ops", "Other", "shared"]


def test_nothing_is_renamed_when_the_secrets_cannot_be_moved(store: ConnectionStore) -> None:
    store.save(connection("ops"))
    before = store.where("ops").path.read_bytes()
    with using(Raising(RuntimeError, service="mailconn-jupyter")) as backend:
        credentials.set_password("ops", "geheim")
        backend.steps = {"set"}
        with pytest.raises(CredentialError):
            store.rename("ops", "new")
        backend.steps = set()
        assert [path.name for path in store.folder.glob("*.json")] == ["ops.json"]
        assert store.where("ops").path.read_bytes() == before
        store.rename("ops", "new")
        assert "keyring" in credentials.where("new")


def test_the_secrets_come_back_when_the_renamed_file_cannot_be_written(
    store: ConnectionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(connection("ops"))
    give_password("ops", "geheim")

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mailconn_jupyter.store.atomic_files.write", full)  # a disk cannot be filled between two steps
        with pytest.raises(StoreError, match="No space left on device"):
            store.rename("ops", "new")
    assert list(store) == ["ops"]
    assert [path.name for path in store.folder.glob("*.json")] == ["ops.json"]
    assert credentials.where("ops") == "in this kernel only"
    assert credentials.where("new") == ""


def test_deleting_a_connection_removes_its_secrets_its_last_test_and_the_default(store: ConnectionStore) -> None:
    store.save(connection("ops"))
    give_password("ops", "geheim")
    last_tests.record("ops", ok=False, summary="bad", milliseconds=1)
    store.default = "ops"
    assert store.delete("Ops") == []
    assert "ops" not in store
    assert store.default is None
    assert credentials.where("ops") == ""
    assert last_tests.last("ops") is None
    with pytest.raises(UnknownConnection):
        store.delete("ops")


def test_the_default_is_an_existing_connection_and_its_file_keeps_other_keys(store: ConnectionStore) -> None:
    assert store.default is None
    with pytest.raises(UnknownConnection):
        store.default = "nobody"
    store.save(connection("Ops"))
    path = put(store.folder, ".settings.json", {"later": 1})
    store.default = "ops"
    assert store.default == "Ops"
    store.default = None
    assert store.default is None
    assert json.loads(path.read_text()) == {"later": 1}


def test_settings_that_cannot_be_read_are_named_and_left_alone(store: ConnectionStore) -> None:
    store.save(connection())
    path = put(store.folder, ".settings.json", '{"default": "op')
    assert store.default is None
    with pytest.raises(StoreError, match=r"\.settings\.json cannot be read: it is not JSON"):
        store.default = "ops"
    assert "cannot be read" in messages(store)[".settings.json"]
    store.delete("ops")
    assert path.read_text() == '{"default": "op'


def test_pick_takes_a_name_a_connection_the_default_or_the_only_one(store: ConnectionStore) -> None:
    with pytest.raises(StoreError, match="There is no mail server connection yet") as info:
        store.pick()
    assert "%mailconn new" in info.value.hint
    unsaved = connection("unsaved")
    assert store.pick(unsaved) is unsaved
    store.save(connection("one"))
    assert store.pick().name == "one"
    store.save(connection("two"))
    with pytest.raises(StoreError, match=r"Which connection\? There are 2: one, two\.") as info:
        store.pick()
    assert "%mailconn default" in info.value.hint
    store.default = "two"
    assert store.pick().name == "two"
    assert store.pick("ONE").name == "one"
    store.where("two").path.unlink()
    with pytest.raises(UnknownConnection, match="The default connection 'two' is no longer there"):
        store.pick()


def test_one_connection_is_meant_for_sending_and_another_for_reading(store: ConnectionStore) -> None:
    store.save(connection("ops"))
    store.save(connection("box", protocol="IMAP"))
    assert [store.pick(sends=sends).name for sends in (True, False)] == ["ops", "box"]
    with pytest.raises(StoreError, match="Which connection"):
        store.pick()
    store.save(connection("relay"))
    store.save(connection("archive", protocol="MBOX"))
    for name in ("relay", "box"):
        store.default = name
    assert [store.pick(sends=sends).name for sends in (True, False, None)] == ["relay", "box", "relay"]
    assert store.defaults == ["relay", "box"]
    store.rename("box", "mailbox")
    assert store.pick(sends=False).name == "mailbox"
    store.delete("relay")
    assert store.defaults == ["mailbox"]
    with pytest.raises(StoreError, match=r"Which connection\?"):
        store.delete("ops"), store.save(connection("a")), store.save(connection("b")), store.pick(sends=True)


def test_a_default_of_before_that_is_a_mailbox_stays_the_one_for_reading(store: ConnectionStore) -> None:
    store.save(connection("box", protocol="IMAP"))
    store.save(connection("ops"))
    put(store.folder, ".settings.json", {"default": "box"})
    assert [store.pick(sends=sends).name for sends in (None, True, False)] == ["box", "ops", "box"]
    store.default = "ops"
    assert [store.pick(sends=sends).name for sends in (None, True, False)] == ["ops", "ops", "box"]
    store.default = None
    assert store.defaults == []


def test_the_only_connection_is_told_what_it_cannot_do_and_not_that_there_is_none(store: ConnectionStore) -> None:
    store.save(connection("box", protocol="IMAP"))
    assert store.pick(sends=True).name == "box"


# --- speed


def test_to_list_a_thousand_connections_each_file_is_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long that takes is what tests/benchmarks/bench_store.py measures."""
    store = ConnectionStore(tmp_path / "mailconn", [])
    fill(store.folder)
    opened: list[str] = []
    really = os.open

    def counted(path: Any, *arguments: Any, **options: Any) -> int:
        opened.append(Path(path).name)
        return really(path, *arguments, **options)

    monkeypatch.setattr(os, "open", counted)
    assert len(store.values()) == 1000
    assert len(set(opened)) == len(opened) == 1000


def test_one_of_a_thousand_is_read_without_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ConnectionStore(tmp_path / "mailconn", [])
    fill(store.folder, 50)
    opened: list[object] = []
    real = os.open

    def watched(path: Any, *rest: Any, **more: Any) -> int:
        opened.append(path)
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", watched)
    assert store["CONNECTION-0007"].name == "connection-0007"
    assert opened == [store.folder / "connection-0007.json"]


def test_the_store_loads_neither_keyring_nor_sockets() -> None:
    code = (
        "import sys, mailconn_jupyter.store\n"
        "print({'keyring', 'socket', 'ssl', 'smtplib', 'filelock', 'jupyter_core.paths', 'ipywidgets'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"


def test_a_new_connection_is_saved_without_reading_all_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    really = atomic_files.read

    def noted(path: Path, *rest: Any) -> bytes:
        read.append(path)
        return really(path, *rest)

    for number in range(30):
        connections.save(connection(f"c{number}"))
    monkeypatch.setattr(atomic_files, "read", noted)
    connections.save(connection("one more"))
    assert {path.stem for path in read} <= {"one more", "c29"}
    # A file that was made by hand claims the name that it says, whatever it is called; also when it says another later.
    by_hand = connections.folder / "c0.json"
    by_hand.write_text(by_hand.read_text(encoding="utf-8").replace('"c0"', '"by hand"'), encoding="utf-8")
    assert connections["by hand"].server_host == "mail.example.org"
    assert "c0" not in connections
