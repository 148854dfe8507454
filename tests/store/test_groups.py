"""Groups of people: kept beside the connections, shared and locked as those are, and a name wherever an address goes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.commands.doctor import findings
from mailconn_jupyter.errors import MailConnError, MessageError, StoreError
from mailconn_jupyter.store import ConnectionStore
from mailconn_jupyter.store.people import People, UnknownGroup, people
from tests.support.composed import arrived
from tests.support.shells import Shell, clean_up, keep, shell

__all__ = ["clean_up", "shell"]

pytestmark = pytest.mark.usefixtures("own_config")


def recipients(message: Any, name: str = "To") -> list[str]:
    return [address.addr_spec for address in message[name].addresses]


def test_a_group_is_kept_with_its_names_and_read_by_another_kernel(own_config: Path) -> None:
    people["Team"] = ["ana@example.org", "Bea Łu <bea@example.org>", '"Doe, Jane" <jane@example.org>']
    other = People(ConnectionStore())
    assert other["tEAM "] == people["team"]
    assert other["team"] == ["ana@example.org", "Bea Łu <bea@example.org>", '"Doe, Jane" <jane@example.org>']
    assert list(other) == ["Team"]
    assert "TEAM" in other
    file = people._path
    assert file.stat().st_mode & 0o777 == 0o600
    assert not mailconn.connections.problems()
    people["team"] = "ana@example.org, eve@example.org"
    assert other["team"] == ["ana@example.org", "eve@example.org"]
    del people["team"]
    assert "team" not in other
    with pytest.raises(UnknownGroup, match="no group 'team'"):
        other["team"]


def test_a_name_stands_wherever_an_address_goes() -> None:
    people["team"] = ["ana@example.org", "Bea <bea@example.org>"]
    people["Руководство"] = ["team", "eve@example.org"]
    message = arrived("x", cc="team", bcc="руководство", reply_to=["team"])
    assert recipients(message, "Cc") == recipients(message, "Reply-To") == ["ana@example.org", "bea@example.org"]
    message = mailconn.compose(["team", "zoe@example.org"], "s", "x", sender="b@example.org")
    assert recipients(message) == ["ana@example.org", "bea@example.org", "zoe@example.org"]
    assert str(message["To"]).startswith("ana@example.org, Bea <bea@example.org>")
    message = mailconn.compose("Руководство, bea@example.org", "s", "x", sender="b@example.org")
    assert recipients(message) == ["ana@example.org", "bea@example.org", "eve@example.org"]
    meeting = mailconn.Invitation("Retro", "2026-12-03", attendees="team")
    assert [str(one.address) for one in meeting.attendees] == ["ana@example.org", "bea@example.org"]


def test_groups_may_be_in_each_other_without_an_end() -> None:
    people["a"] = ["ana@example.org"]
    people["b"] = ["a", "bea@example.org"]
    people["a"] = ["b", "eve@example.org"]
    assert people.members("A") == ["bea@example.org", "eve@example.org"]


def test_five_hundred_get_one_message_each(shell: Shell) -> None:
    people["all"] = [f"Person {number} <p{number}@example.org>" for number in range(500)]
    people["few"] = ["p1@example.org", "all"]
    server = mailconn.sandbox.start()
    report = mailconn.send("sandbox", "few", "s", "x", cc="all", bcc="p2@EXAMPLE.ORG")
    assert report.ok
    got = [name for message in server.inbox for name in message.recipients]
    assert sorted(got) == sorted(f"p{number}@example.org" for number in range(500))
    shell.ok("%mailconn sandbox --stop")


def test_a_merge_knows_groups() -> None:
    people["board"] = ["eve@example.org"]
    letters = mailconn.merge([{"email": "ana@example.org"}], to="email", cc="board", subject="s", content="c")
    assert recipients(letters[0], "Cc") == ["eve@example.org"]
    with pytest.raises(MessageError, match="'bord'"):
        mailconn.merge([{"email": "ana@example.org"}], to="email", cc="bord", subject="s", content="c")


def test_a_word_that_is_no_group_is_no_address() -> None:
    people["team"] = ["ana@example.org"]
    with pytest.raises(MessageError, match="'tem'"):
        mailconn.compose("tem", "s", "x", sender="b@example.org")


def shared(folder: Path, content: Any) -> People:
    folder.mkdir(exist_ok=True)
    (folder / ".people.json").write_text(json.dumps(content), encoding="utf-8")
    return People(ConnectionStore(mailconn.connections.folder, [folder]))


def test_an_administrators_groups_are_there_and_a_locked_one_stays(tmp_path: Path) -> None:
    content = {"groups": {"ops": ["a@example.org"], "board": {"members": ["b@example.org"], "locked": True}}}
    groups = shared(tmp_path / "shared", content)
    assert groups["ops"] == ["a@example.org"]
    groups["ops"] = ["own@example.org"]
    assert groups["ops"] == ["own@example.org"]
    with pytest.raises(StoreError, match="is locked"):
        groups["board"] = ["own@example.org"]
    with pytest.raises(StoreError, match="is locked"):
        del groups["board"]
    del groups["ops"]
    with pytest.raises(StoreError, match="is shared"):
        del groups["ops"]


def test_a_shared_file_that_others_can_change_does_not_count(tmp_path: Path) -> None:
    groups = shared(tmp_path / "shared", {"groups": {"ops": ["evil@example.org"]}})
    (tmp_path / "shared" / ".people.json").chmod(0o666)
    assert "ops" not in groups


def test_a_refused_file_counts_in_the_same_kernel_once_the_folder_that_its_link_leads_to_is_mended(
    tmp_path: Path,
) -> None:
    groups = shared(tmp_path / "shared", {"groups": {"ops": ["ana@example.org"]}})
    (tmp_path / "theirs").mkdir(mode=0o755)
    link = tmp_path / "shared" / ".people.json"
    link.rename(tmp_path / "theirs" / "people.json")
    link.symlink_to(tmp_path / "theirs" / "people.json")
    (tmp_path / "theirs").chmod(0o777)
    assert "ops" not in groups
    (tmp_path / "theirs").chmod(0o755)
    assert groups["ops"] == ["ana@example.org"]


def test_what_can_be_typed_follows_each_change_of_the_file() -> None:
    # A group that is gone may leave its place in memory to the one that comes.
    for number in range(50):
        people["team"] = [f"user{number}@example.org"]
        assert list(people.known()) == ["team", f"user{number}@example.org"]


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"groups": 5}', '{"groups": {"team": 5}}', '{"groups": {"team": [5]}}', "[" * 100_000, "\xff"],
)
def test_a_file_that_cannot_be_read_is_named_and_left(own_config: Path, content: str) -> None:
    people["team"] = ["ana@example.org"]
    path = people._path
    path.write_bytes(content.encode("latin-1"))
    for act in (lambda: people["team"], lambda: people.update({"x": ["a@example.org"]})):
        with pytest.raises(StoreError, match=r"\.people\.json cannot be read"):
            act()
    assert path.read_bytes() == content.encode("latin-1")


@pytest.mark.parametrize("name", ["", " ", "a@b", "a, b", "x\ny", "<x>", "a;b", 5, "x" * 300, "{x}"])
def test_a_name_that_could_be_taken_for_something_else_is_refused(name: Any) -> None:
    with pytest.raises(StoreError, match="cannot be the name of a group"):
        people[name] = ["ana@example.org"]


@pytest.mark.parametrize("members", [["Ana"], [5], ["a@example.org\nBcc: x@y.z"], 5])
def test_a_member_that_is_no_address_is_refused(members: Any) -> None:
    with pytest.raises((MailConnError, TypeError)):
        people["team"] = members
    assert "team" not in people


def test_many_who_write_at_once_lose_no_group(own_config: Path) -> None:
    def write(number: int) -> None:
        People(ConnectionStore())[f"g{number}"] = [f"p{number}@example.org"]

    threads = [threading.Thread(target=write, args=[number]) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(people) == 12


def test_what_a_newer_version_wrote_survives(own_config: Path) -> None:
    people["team"] = ["ana@example.org"]
    content = json.loads(people._path.read_text()) | {"later": 1}
    people._path.write_text(json.dumps(content))
    people["team"] = ["bea@example.org"]
    assert json.loads(people._path.read_text())["later"] == 1


_WRITER = """
import sys
from mailconn_jupyter.store.people import people
print("begun", flush=True)
for number in range(int(sys.argv[1]), int(sys.argv[2])):
    people[f"g{number}"] = [f"p{number}@example.org"]
"""


def writer(start: int, stop: int) -> subprocess.Popen[bytes]:
    """A process that keeps so many groups."""
    command = [sys.executable, "-c", _WRITER, str(start), str(stop)]
    begun = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert begun.stdout is not None
    assert begun.stdout.readline() == b"begun\n"
    begun.stdout.close()
    return begun


def test_two_kernels_that_write_at_once_lose_no_group(own_config: Path) -> None:
    for each in [writer(0, 30), writer(30, 60)]:
        assert each.wait(60) == 0
    assert sorted(people) == sorted(f"g{number}" for number in range(60))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_kernel_that_is_killed_while_it_writes_loses_no_group_and_holds_nobody_up(own_config: Path) -> None:
    people["kept"] = ["kept@example.org"]
    known = 0
    for _ in range(4):
        # Two, so that one of them waits for the lock that the other one has.
        killed = [writer(known, 100_000), writer(known + 50_000, 100_000)]
        while len(people) < known + 4:
            time.sleep(0.01)
        for each in killed:
            each.send_signal(signal.SIGKILL)
            each.wait(30)
        # Whole, and with all that was ever in it.
        assert len(json.loads(people._path.read_bytes())["groups"]) >= known + 4
        people["after"] = ["after@example.org"]
        known = len(people)
        assert {"kept", "after"} <= set(people)
    assert [path.name for path in people._path.parent.iterdir() if path.suffix == ".tmp"] == []


# What the doctor says of the files


def problems(store: ConnectionStore) -> list[str]:
    return [found for what, found in findings(store) if what == "PROBLEM"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "it is not JSON"),
        ('{"groups": 5}', "it holds no groups"),
        ('{"groups": {"team": [5]}}', "the group 'team' is not a list of addresses"),
    ],
)
def test_the_doctor_tells_of_a_broken_file(own_config: Path, content: str, why: str) -> None:
    people["team"] = ["ana@example.org"]
    assert problems(mailconn.connections) == []
    people._path.write_text(content, encoding="utf-8")
    assert problems(mailconn.connections) == [f"{people._path}: It cannot be read: {why}."]


@pytest.mark.skipif(os.name == "nt", reason="Windows' modes say nothing about others")
def test_the_doctor_tells_of_a_file_that_others_can_read_of_a_link_to_nowhere_and_of_no_file(own_config: Path) -> None:
    people["team"] = ["ana@example.org"]
    path = people._path
    path.chmod(0o644)
    assert problems(mailconn.connections) == [f"{path}: Others can read or change it. Run: chmod 600 {path}"]
    path.unlink()
    path.symlink_to("nowhere")
    assert problems(mailconn.connections) == [f"{path}: It cannot be read: the link is broken."]
    path.unlink()
    path.mkdir(0o700)
    assert problems(mailconn.connections) == [f"{path}: It cannot be read: it is not a file."]
    path.rmdir()
    assert problems(mailconn.connections) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows' modes say nothing about others")
def test_the_doctor_tells_of_a_shared_file_that_does_not_count(tmp_path: Path) -> None:
    shared(tmp_path / "shared", {"groups": {"ops": ["evil@example.org"]}})
    path = tmp_path / "shared" / ".people.json"
    store = ConnectionStore(mailconn.connections.folder, [path.parent])
    assert problems(store) == []
    path.chmod(0o666)
    (found,) = problems(store)
    assert found.startswith(f"{path}: It is not used: ")


def test_the_magic_makes_shows_and_changes_groups(shell: Shell) -> None:
    assert "There is no group yet" in shell.ok("%mailconn people").text
    shell.ok('%mailconn people team ana@example.org "Bea <bea@example.org>"')
    assert people["team"] == ["ana@example.org", "Bea <bea@example.org>"]
    shell.ok("%mailconn people team eve@example.org --remove bea@example.org")
    assert people["team"] == ["ana@example.org", "eve@example.org"]
    ran = shell.ok("%mailconn people")
    assert "team" in ran.text + ran.html
    assert "eve@example.org" in str(shell.ok("%mailconn people team").text)
    shell.ok("%mailconn people team --delete")
    assert "team" not in people
    assert "no group 'team'" in shell.fails("%mailconn people team")


def test_a_group_within_a_group_is_removed_by_its_name_and_nobody_else_with_it(shell: Shell) -> None:
    people["friends"] = ["bea@example.org", "eve@example.org"]
    people["team"] = ["ana@example.org", "friends", "Bea <bea@example.org>"]
    shell.ok("%mailconn people team --remove Friends")
    assert people["team"] == ["ana@example.org", "Bea <bea@example.org>"]


def test_a_group_that_was_deleted_since_can_be_removed_from_another_one_at_a_time(shell: Shell) -> None:
    for name in ("friends", "family"):
        people[name] = ["bea@example.org"]
    people["team"] = ["ana@example.org", "friends", "family"]
    del people["friends"]
    del people["family"]
    assert "The group 'team' now has 2 addresses" in shell.ok("%mailconn people team --remove friends").text
    assert people["team"] == ["ana@example.org", "family"]
    shell.ok("%mailconn people team --remove family")
    assert people["team"] == ["ana@example.org"]


def test_whoever_is_not_a_member_is_not_removed_in_silence(shell: Shell) -> None:
    people["friends"] = ["bea@example.org"]
    people["team"] = ["ana@example.org", "friends"]
    for who in ("eve@example.org", "bea@example.org", '"ana@example.org, eve@example.org"', "nobody"):
        assert "is not a member of the group 'team'" in shell.fails(f"%mailconn people team --remove {who}")
    assert "Did you mean 'ana@example.org'?" in shell.fails("%mailconn people team --remove ana@example.com")
    assert people["team"] == ["ana@example.org", "friends"]


def test_a_member_that_somebody_has_written_into_the_file_badly_can_be_removed(shell: Shell) -> None:
    people["team"] = ["ana@example.org"]
    content = json.loads(people._path.read_text())
    content["groups"]["team"] += ["bea@@example.org"]
    people._path.write_text(json.dumps(content))
    shell.ok("%mailconn people team --remove bea@@example.org")
    assert people["team"] == ["ana@example.org"]


def test_tab_completes_groups_addresses_and_names(shell: Shell) -> None:
    keep("ops", server_host="smtp.example.org")
    people["team"] = ["Ana Nováková <nov@example.org>", "bea@example.org"]
    line = "%mailconn send ops --to "
    assert shell.tab(line) == [f"{line}team"]
    assert shell.tab(f"{line}te") == [f"{line}team"]
    assert shell.tab(f"{line}be") == [f"{line}bea@example.org"]
    assert shell.tab(f"{line}nov") == [f"{line}nov@example.org"]
    assert shell.tab(f"{line}ana") == [f'{line}"Ana Nováková <nov@example.org>"']
    assert shell.tab(f'{line}"Ana No') == [f'{line}"Ana Nováková <nov@example.org>"']
    assert shell.tab("%mailconn people t") == ["%mailconn people team"]
    for command in (
        "people team --remove ",
        "send ops --to x@example.org --from ",
        "send ops --to x@example.org --bounce-to ",
        "test ops --mail ",
        "people team x@example.org ",
    ):
        assert shell.tab(f"%mailconn {command}be") == [f"%mailconn {command}bea@example.org"]
    # In a merge they are columns.
    assert "%mailconn merge ops df --to bea@example.org" not in shell.tab("%mailconn merge ops df --to be")


def test_tab_completes_who_stands_behind_a_comma(shell: Shell) -> None:
    keep("ops", server_host="smtp.example.org")
    people["team"] = ["Ana Nováková <nov@example.org>", "bea@example.org"]
    people["unit"] = ["team"]
    line = "%mailconn send ops --to "
    assert shell.tab(f"{line}team,be") == [f"{line}team,bea@example.org"]
    assert shell.tab(f"{line}team,") == [f"{line}team,unit"]
    assert shell.tab(f"{line}eve@example.org,team,ana") == [
        f'{line}"eve@example.org,team,Ana Nováková <nov@example.org>"'
    ]
    assert shell.tab(f'{line}"team, be') == [f'{line}"team, bea@example.org"']
    # Blanks behind a comma need quotes, which it puts around all of them.
    assert shell.tab(f"{line}team, be") == [f'{line}"team, bea@example.org"']
    assert shell.tab(f"{line}eve@example.org,  team, ") == [f'{line}"eve@example.org,  team, unit"']
    assert shell.tab(f"{line[:-1]}=team, be") == [f'{line[:-1]}="team, bea@example.org"']
    assert shell.tab(f"{line}team --cc x@example.org, be") == [f'{line}team --cc "x@example.org, bea@example.org"']
    assert shell.tab(f'{line}team --subject "a, b" be') == []
