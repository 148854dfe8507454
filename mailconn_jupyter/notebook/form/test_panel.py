"""The test in the form: its stages appear as they happen, from a thread, so the kernel stays free for other cells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import ipywidgets as widgets

from ...connection import MailConnection
from ...credentials import Kind, Secret
from ...credentials.override import lent_secrets
from ...errors import MailConnError
from ...formatting import prose
from ...session.check import CheckReport, check
from ...session.opening.stages import STAGES, StageResult
from ...store import last_tests
from ...worker import Worker
from . import style
from .trial_row import TrialRow
from .widgets import bar, box, live, show

__all__ = ["LiveTest"]

# Sign, word and style of each outcome.
_OUTCOMES: Final = {
    "ok": ("✓", "passed", "mailconn-is-good"),
    "failed": ("✗", "failed", "mailconn-is-bad"),
    "cancelled": ("■", "cancelled", ""),
    "skipped": ("○", "skipped", ""),
    "running": ("▸", "running …", ""),
    "not reached": ("·", "", ""),
}
_WORDS: Final = {
    "resolve": "Look up the name",
    "connect": "Connect",
    "secure": "Secure the link",
    "greet": "Greet the server",
    "authenticate": "Log in",
    "ready": "Ready for mail",
}
_PINNABLE: Final = {
    "unknown-authority",
    "name-mismatch",
    "expired",
    "pin-mismatch",
    "bad-certificate",
    "not-by-the-rules",
}


class LiveTest:
    """The buttons Test and Cancel, what came of it, and the panel with the stages; ``on_pin`` gets a pin that is asked for."""

    def __init__(self, on_pin: Callable[[str], None]) -> None:
        self._on_pin = on_pin
        self._worker = Worker("mailconn-test")
        self._possible = True
        self._fresh = True
        self._name = ""
        self._report: CheckReport | None = None
        self.test = widgets.Button(description="Test", tooltip="Open a session and close it again")
        self.cancel = widgets.Button(description="Cancel", tooltip="Stop the test")
        self.pin = widgets.Button(description="Pin this certificate")
        self.pin.tooltip = "Accept exactly this certificate for this host: adds it to the trusted hosts"
        self.summary = live(style.message("note", "Not tested yet."), "mailconn-summary")
        self.stages = {name: widgets.HTML(_stage(StageResult(name))) for name in STAGES}
        self.trial = TrialRow()
        self.panel = box(widgets.VBox, "mailconn-panel", *self.stages.values(), bar(self.pin), self.trial.row)
        show(self.panel, False)
        self.cancel.on_click(lambda _: self.stop())
        self.pin.on_click(lambda _: self._pin())
        self._buttons()

    @property
    def running(self) -> bool:
        """Whether a test is under way."""
        return self._worker.running

    def allow(self, possible: bool) -> None:
        """Whether there is enough to test."""
        with self._worker.lock:
            self._possible = possible
            self._buttons()

    def _buttons(self) -> None:
        self.test.disabled = self.running or not self._possible
        show(self.cancel, self.running)
        self.cancel.disabled = self._worker.cancel.is_set()
        report = self._report
        failed = report.failed if report is not None else None
        pinnable = report is not None and report.pin and failed is not None and failed.cause in _PINNABLE
        show(self.pin, bool(pinnable) and not self.running)

    def show_last(self, name: str) -> None:
        """Say how the last test of a stored connection ended."""
        last = last_tests.last(name)
        if last is not None:
            when = f"{last.when.astimezone():%Y-%m-%d %H:%M}"
            kind, word = ("good", "passed") if last.ok else ("bad", "failed")
            text = f"Last test, {when}: {word}{f' ({last.milliseconds:.0f} ms)' if last.ok else f'. {last.summary}'}"
            self.summary.value = style.message(kind, text)

    def start(self, connection: MailConnection, secrets: Mapping[Kind, Secret]) -> None:
        """Begin a test of the connection with these secrets beside those that are kept; returns at once."""
        with self._worker.lock:
            if self.running:
                return
            self._report = None
            self._fresh = True
            self.trial.offer(None, {})
            self._name = connection.name
            self.summary.value = style.message("note", f"Testing {connection.server_host} …")
            for name, stage in self.stages.items():
                stage.value = _stage(StageResult(name))
                show(stage)
            show(self.panel)
            self._worker.start(partial(self._run, connection, dict(secrets)))
            self._buttons()

    def _run(self, connection: MailConnection, secrets: dict[Kind, Secret], cancel: threading.Event) -> None:
        report = None
        try:
            with lent_secrets(connection, secrets):
                report = check(connection, listener=self._heard, cancel=cancel, ask=False)
        except MailConnError as error:
            end = ("bad", error.in_one_line)
        except Exception as error:  # noqa: BLE001  # an error of a thread is nobody's: say it where it is looked for
            end = ("bad", f"The test failed: {type(error).__name__}.")
        else:
            end = _ending(report)
        with self._worker.ending():
            self._report = report
            self.summary.value = style.message(*end)
            if not self._fresh:
                self._outdate()
            elif report is not None and report.ok:
                self.trial.offer(connection, secrets)
            self._buttons()

    def _heard(self, result: StageResult) -> None:
        self.stages[result.name].value = _stage(result, self._name)
        # A file has no link to secure, a relay that trusts the network no login: nobody waits for those.
        show(self.stages[result.name], result.outcome != "skipped")

    def stop(self) -> None:
        """Call the test off; it ends within a moment, at whichever stage it is."""
        with self._worker.lock:
            if self.running:
                self._worker.stop()
                self.summary.value = style.message("note", "Cancelling …")
                self._buttons()

    def keep(self) -> None:
        """Remember what the test found of the values in the form, which are stored now."""
        with self._worker.lock:
            report = self._report
        if report is not None and (report.ok or report.failed):
            last_tests.record(report.name, ok=report.ok, summary=report.summary, milliseconds=report.milliseconds)

    def stale(self) -> None:
        """Say that what the panel shows is about other values than those in the form."""
        with self._worker.lock:
            self._fresh = False
            if self._report is not None:
                self._outdate()
                self._buttons()

    def _outdate(self) -> None:
        self._report = None
        self.trial.offer(None, {})
        self.summary.value += "<br>" + style.message("note", "The values have changed since this test.")

    def _pin(self) -> None:
        with self._worker.lock:
            report = self._report
        if report is not None and report.pin:
            self._on_pin(report.pin)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the test that runs, if one does; whether it has ended."""
        return self._worker.wait(seconds)


def _ending(report: CheckReport) -> tuple[str, str]:
    failed = report.failed
    if failed is None:
        return "good", f"The connection works ({report.milliseconds:.0f} ms)."
    if failed.cause == "cancelled":
        return "note", f"Cancelled at: {_WORDS[failed.name]}."
    return "bad", f"Failed at: {_WORDS[failed.name]}."


def _stage(result: StageResult, name: str = "") -> str:
    outcome = "cancelled" if result.cause == "cancelled" else result.outcome
    sign, word, style = _OUTCOMES[outcome]
    taken = f"{result.milliseconds:.0f} ms" if outcome in {"ok", "failed", "cancelled"} else ""
    later = "mailconn-later" if outcome == "not reached" else ""
    # Whose test it is, everybody can see.
    message = result.message.removeprefix(f"{name}: ")
    message = message[:1].upper() + message[1:]
    learnt = ""
    if outcome == "skipped":
        learnt = f"<div>{prose(result.message)}</div>"
    elif outcome == "failed":
        learnt = f"<div>{prose(message)}</div><div><strong>{prose(result.hint)}</strong></div>"
    if result.facts:
        rows = "".join(f"<dt>{prose(label)}</dt><dd>{prose(text)}</dd>" for label, text in result.facts.items())
        learnt += f"<details><summary>Details</summary><dl>{rows}</dl></details>"
    return (
        f'<div class="mailconn-stage"><span class="{style}" aria-hidden="true">{sign}</span>'
        f'<span class="{later}">{_WORDS[result.name]}</span><span class="{style}">{word}</span>'
        f'<span class="mailconn-time">{taken}</span>'
        f'{f"""<div class="mailconn-learnt">{learnt}</div>""" if learnt else ""}</div>'
    )
