"""A real IPython with the extension loaded, in this process or in a kernel."""

from __future__ import annotations

import asyncio
import atexit
import builtins
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager, start_new_async_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from mailconn_jupyter import sandbox
from mailconn_jupyter.connection import MailConnection
from mailconn_jupyter.credentials import forget_memory
from mailconn_jupyter.store import connections
from tests.support.form_driver import eventually


@dataclass
class Ran:
    """What a cell did: its text, the HTML that it displayed, its value, and its error."""

    text: str
    html: str
    value: Any
    error: BaseException | None


class Shell:
    """An :class:`InteractiveShell` in which cells are run and completed."""

    def __init__(self, ip: InteractiveShell) -> None:
        self.ip = ip

    def run(self, cell: str) -> Ran:
        with capture_output() as captured:
            result = self.ip.run_cell(cell)  # type: ignore[no-untyped-call]
        html = "".join(output.data.get("text/html", "") for output in captured.outputs)
        shown = "".join(output.data.get("text/plain", "") for output in captured.outputs)
        error = result.error_before_exec or result.error_in_exec
        return Ran(captured.stdout + captured.stderr + shown, html, result.result, error)

    def ok(self, cell: str) -> Ran:
        """Run a cell that must not fail."""
        ran = self.run(cell)
        assert ran.error is None, ran.text
        return ran

    def fails(self, cell: str) -> str:
        """The text of a cell that must fail."""
        ran = self.run(cell)
        assert ran.error is not None, ran.text
        return ran.text

    def tab(self, cell: str) -> list[str]:
        """What Tab at the ``|`` (or the end) offers: the whole line as it would be afterwards."""
        before, _, after = cell.partition("|")
        with provisionalcompleter():
            found = list(self.ip.Completer.completions(before + after, len(before)))
        return [before[: each.start] + each.text + (before + after)[each.end :] for each in found]


@pytest.fixture
def shell(own_config: Path) -> Iterator[Shell]:
    own_config.parent.mkdir(exist_ok=True)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    InteractiveShell.clear_instance()
    # A doctest leaves its last value there, and IPython then keeps its own _ to itself.
    vars(builtins).pop("_", None)
    ip = InteractiveShell.instance(config=config)
    try:
        ip.run_cell("%load_ext mailconn_jupyter")  # type: ignore[no-untyped-call]
        yield Shell(ip)
    finally:
        ip.restore_sys_module_state()  # type: ignore[no-untyped-call]
        atexit.unregister(ip.atexit_operations)
        ip.atexit_operations()  # type: ignore[no-untyped-call]
        InteractiveShell.clear_instance()


def run_notebook(cells: Sequence[str], *, folder: Path, stop: bool = True) -> tuple[list[Any], str]:
    """Run cells in a kernel as a notebook without a person; the outputs of each, and nbclient's error."""
    folder.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])  # type: ignore[no-untyped-call]
    client = NotebookClient(notebook, kernel_name="python3", timeout=60, allow_errors=not stop)
    failure = ""
    try:
        # The loop of the plain execute() is never closed.
        asyncio.run(client.async_execute())
    except CellExecutionError as error:
        failure = str(error)
    return [cell.outputs for cell in notebook.cells], failure


class Kernel:
    """A kernel with a person at its front end, who gives ``answers`` when asked."""

    def __init__(self, runner: asyncio.Runner, manager: AsyncKernelManager, client: AsyncKernelClient) -> None:
        self._runner = runner
        self._manager = manager
        self._client = client
        #: What the person types next; a function gets all that the cell has put out.
        self.answers: list[str | Callable[[str], str]] = []
        #: Hears of each output as it comes.
        self.watch: Callable[[str], None] = lambda _: None
        self.asked: list[dict[str, Any]] = []

    def run(self, cell: str, *, stop_when: Callable[[], bool] | None = None) -> str:
        """The status and all output of a cell, as text; the stop button is pressed once ``stop_when`` is true."""
        return self._runner.run(self._run(cell, stop_when))

    async def _run(self, cell: str, stop_when: Callable[[], bool] | None) -> str:
        outputs: list[str] = []

        def answer(message: dict[str, Any]) -> None:
            self.asked.append(message["content"])
            typed = self.answers.pop(0)
            if isinstance(typed, str):
                self._client.input(typed)
                return
            # A question overtakes what was put out before it.
            asyncio.get_running_loop().call_later(0.5, lambda: self._client.input(typed(" ".join(outputs))))

        def heard(message: dict[str, Any]) -> None:
            outputs.append(str(message["content"]))
            self.watch(outputs[-1])

        async def stop(so_far: Callable[[], bool]) -> None:
            while not so_far():  # noqa: ASYNC110  # what it waits for happens in threads and other processes
                await asyncio.sleep(0.05)
            await self._manager.interrupt_kernel()

        stopping = asyncio.create_task(stop(stop_when)) if stop_when is not None else None
        try:
            reply = await self._client.execute_interactive(
                cell,
                allow_stdin=True,
                timeout=60,
                stdin_hook=answer,
                output_hook=heard,
            )
        finally:
            if stopping is not None:
                stopping.cancel()
        return f"{reply['content']['status']}: {' '.join(outputs)}"

    def complete(self, code: str) -> dict[str, Any]:
        """The kernel's answer to Tab at the end of ``code``."""
        return self._runner.run(self._complete(code))

    async def _complete(self, code: str) -> dict[str, Any]:
        reply = await self._client.complete(code, len(code), reply=True, timeout=30)
        content: dict[str, Any] = reply["content"]
        return content


async def _shut_down(manager: AsyncKernelManager) -> None:
    await manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(own_config: Path) -> Iterator[Kernel]:
    with asyncio.Runner() as runner:
        manager, client = runner.run(start_new_async_kernel(kernel_name="python3"))
        try:
            kernel = Kernel(runner, manager, client)
            assert kernel.run("%load_ext mailconn_jupyter").startswith("ok")
            yield kernel
        finally:
            client.stop_channels()
            runner.run(_shut_down(manager))


@pytest.fixture(autouse=True)
def clean_up() -> Iterator[None]:
    """No password and no sandbox outlives its test."""
    yield
    running = sandbox.running()
    if running is not None:
        running.stop()
    for name in ("ops", "new ops", "relay"):
        forget_memory(name)


def keep(name: str, **options: Any) -> MailConnection:
    connection = MailConnection(name=name, **{"server_host": "mail.example.org", **options})
    connections.save(connection)
    return connection


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that accepts and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def _require_own_sigint() -> None:
    # There, os.kill ends the process at once.
    if os.name == "nt":
        pytest.skip("no SIGINT to one's own process there")


@contextmanager
def interrupt_after(seconds: float) -> Iterator[None]:
    """What the kernel's stop button sends."""
    _require_own_sigint()
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@contextmanager
def interrupt_when(so_far: Callable[[], bool]) -> Iterator[None]:
    """As :func:`interrupt_after`, once it has come so far; it is waited for 30 seconds."""
    _require_own_sigint()

    def wait() -> None:
        if eventually(so_far, 30):
            os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield
    finally:
        waiting.join()
