"""A forked child: it has what was typed before, and no lock, thread or question of its parent holds it up."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support import shells
from tests.support.shells import Kernel

kernel = shells.kernel
pytestmark = pytest.mark.skipif(not hasattr(sys, "getdlopenflags"), reason="only POSIX forks")

FORK = """
import os, signal, sys, threading, time
from mailconn_jupyter.credentials import Kind, Secret, forget_memory, override, remember, resolve, set_password, where
from mailconn_jupyter.credentials import keyring_call, memory
from mailconn_jupyter.credentials.override import lent_secrets
from mailconn_jupyter.errors import CredentialError
from tests.support.keyring_backends import Shelf, Sleeping, using
import keyring

def held_locks():
    return [each for module in (memory, memory.memory, override, keyring_call) for each in vars(module).values()
            if isinstance(each, type(threading.Lock()))]

def in_child(action):
    'The status of a child that does it; 99 where it is not done within 20 s.'
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(99))
        signal.alarm(20)
        try:
            action()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


def run(code: str) -> str:
    script = FORK + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_locks_that_another_thread_of_the_parent_holds_do_not_stop_the_child() -> None:
    said = run("""
        keyring.set_keyring(Shelf())
        remember("ops", "typed")
        go, held = threading.Event(), threading.Event()
        def hold():
            locks = held_locks()
            for lock in locks:
                lock.acquire()
            held.set()
            go.wait()
            for lock in locks:
                lock.release()
        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        held.wait()
        def use():
            assert resolve("ops", ask=False).secret.reveal() == "typed"
            remember("new", "in the child")
            with lent_secrets("ops", {Kind.PASSWORD: Secret("lent")}):
                assert resolve("ops", ask=False).secret.reveal() == "lent"
            assert resolve("ops", ask=False).secret.reveal() == "typed"
            forget_memory("ops")
            assert where("ops") == ""
        print("child", in_child(use))
        go.set()
        thread.join()
        print(where("ops"), where("new"))
    """)
    assert said.splitlines() == ["child 0", "in this kernel only "]


def test_what_is_lent_to_a_test_of_the_parent_does_not_stay_with_the_child() -> None:
    said = run("""
        keyring.set_keyring(Shelf())
        remember("ops", "typed")
        def look():
            assert resolve("ops", ask=False).secret.reveal() == "typed"
            assert where("other") == ""
        with lent_secrets("ops", {Kind.PASSWORD: Secret("lent")}), lent_secrets("other", {Kind.PASSWORD: Secret("lent")}):
            print("child", in_child(look))
            assert resolve("ops", ask=False).secret.reveal() == "lent"
    """)
    assert said.splitlines() == ["child 0"]


def test_a_keyring_that_does_not_answer_the_parent_does_not_hold_up_the_child() -> None:
    said = run("""
        keyring_call.PATIENCE = 0.3
        keyring.set_keyring(Sleeping())
        try:
            set_password("ops", "x")
        except CredentialError as error:
            print(error.message)
        def use():
            keyring.set_keyring(Shelf())
            set_password("ops", "y")
            assert resolve("ops", ask=False).secret.reveal() == "y"
            assert keyring_call._hanging == []
        print("child", in_child(use))
    """)
    assert said.splitlines()[-1] == "child 0"


def test_a_child_that_is_forked_amid_the_loading_of_the_keyring_gets_an_answer() -> None:
    said = run("""
        import importlib._bootstrap as bootstrap
        del sys.modules["keyring"]
        keyring_call.PATIENCE = 1
        lock = bootstrap._get_module_lock("keyring")
        held, go = threading.Event(), threading.Event()
        def hold():
            lock.acquire()
            held.set()
            go.wait()
            lock.release()
        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        def use():
            try:
                resolve("ops", ask=False)
            except CredentialError as error:
                print(error.message, flush=True)
        print("child", in_child(use), flush=True)
        go.set()
    """)
    assert said.splitlines()[-1] == "child 0"


def test_a_child_of_a_kernel_asks_nobody(kernel: Kernel) -> None:
    cell = """
        import os
        from mailconn_jupyter.credentials import may_ask, resolve
        from mailconn_jupyter.errors import CredentialError
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                resolve("ops")
            except CredentialError as error:
                os.write(writer, f"{may_ask()} {error.message}".encode())
            os._exit(0)
        os.close(writer)
        print(os.read(reader, 1000), os.waitpid(child, 0)[1], may_ask())
    """
    said = kernel.run(textwrap.dedent(cell))
    assert re.search(r"False No password is kept for .*, and there is nobody to ask here", said)
    assert "0 True" in said
