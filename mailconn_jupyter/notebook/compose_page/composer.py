"""What the form does: it takes what is typed, keeps it, shows what would be sent, sends it, and says what became of it.

Nothing here is a widget: what is said goes to ``tell``, which the page has.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from typing import Any, Final

from IPython.core.getipython import get_ipython

from ...connection import MailConnection
from ...delivery.filing.filing_session import FilingSession, require_imap
from ...delivery.filing.save_draft import put_draft
from ...delivery.kept_sessions import lent_session
from ...delivery.preview import preview
from ...delivery.report import DeliveryError, SendReport
from ...delivery.send import send, send_composed
from ...errors import MailConnError, heard_warnings
from ...formatting import counted, few, how_large
from ...store import atomic_files, connections
from ...worker import Worker
from .composer_words import from_of, restored, rows_of
from .draft_file import write_draft
from .looks import look
from .notebook_results import results
from .offered import Offered, files
from .typed_mail import TypedMail
from .unsent import Kept, Unsent, place

__all__ = ["Composer"]

_AGAIN: Final = "{} may have this mail already, and would get it again."
_BEGUN: Final = (
    "An earlier attempt to send this mail was not finished: some may have it already, and would get it again."
)
#: What is done without the buttons being held meanwhile.
_QUIET: Final = ("edit", "complete", "look")
#: What is composed in each cell: one that is run again goes on with the mail of its last run.
_composers: Final[dict[tuple[str, str], Composer]] = {}


class Composer:
    """A mail that is being written in the cell that runs just now, to be sent through ``connection``.

    ``tell(what, **said)`` is what its page hears; it may be called from any thread. ``on_close()`` is, when the
    mail is left to another form. A connection that was ``named`` is that of a mail that is restored, too.
    """

    def __init__(
        self, connection: str, tell: Callable[..., None], on_close: Callable[[], None], *, named: bool = False
    ) -> None:
        # Front ends and kernels differ in which thread a callback comes from.
        self.guard = threading.RLock()
        self.worker = Worker("mailconn-compose")
        self.kept = Kept(TypedMail(connection))
        self.unsent: Unsent | None = None
        self._tell = tell
        self._on_close = on_close
        self._named = named
        self._place = place()
        self._opened = False
        self._closed = False
        #: What is not kept and why, or what was restored, in a sentence, with its kind.
        self._notice = ("", "")
        #: Tells the mail from the next one: what was sent is not sent again, however often a button was pressed.
        self._id = secrets.token_hex(8)
        self._offered = Offered()
        #: The files that were looked at, and what was wrong with them.
        self._files: tuple[tuple[str, ...], str] = ((), "")
        self._listed: list[dict[str, str]] | None = None

    # What a front end says

    def hear(self, said: Mapping[str, Any]) -> None:
        """Do what a page asks for; an error is said, not raised."""
        act = self._acts.get(str(said.get("do")))
        if act is None:
            return
        with self.guard:
            if self._closed:
                return
            try:
                act(self, said)
            except MailConnError as error:
                self._say("bad", error.in_one_line)
            except Exception as error:  # noqa: BLE001  # nobody reads a traceback from here, which would show what was typed
                self._say("bad", f"It failed: {type(error).__name__}.")
            except KeyboardInterrupt:
                # What is composed may take its time; the kernel's stop button ends it.
                self._say("bad", "Interrupted: nothing was sent.")
            if said["do"] not in _QUIET:
                self._tell("busy", busy=self.worker.running)

    def do_ready(self, said: Mapping[str, Any]) -> None:
        self._open()
        self._tell_all()
        self._tell_results(anew=True)
        self._offered.prepare()

    def do_edit(self, said: Mapping[str, Any]) -> None:
        """Take what was typed, and keep it."""
        given, rev = said.get("mail"), said.get("rev")
        if said.get("id") != self._id or not isinstance(given, Mapping) or not isinstance(rev, int):
            return
        # Beyond that a front end cannot count on.
        if not self.kept.rev < rev < 2**53:
            return
        mail = TypedMail.read(given)
        self.kept = replace(self.kept, mail=mail, rev=rev)
        self._keep()
        self._tell(
            "taken",
            view=said.get("view"),
            rev=rev,
            mail=mail.as_dict(),
            problems=self._problems(),
            notice=self._notice,
        )

    def do_complete(self, said: Mapping[str, Any]) -> None:
        offer = files if said.get("field") == "files" else self._offered.recipients
        options = offer(str(said.get("text", "")))
        self._tell("options", view=said.get("view"), number=said.get("number"), options=options)

    def do_look(self, said: Mapping[str, Any]) -> None:
        name = str(said.get("name"))
        if name in (namespace := self._namespace()):
            self._tell("look", name=name, **look(namespace[name]))

    def do_preview(self, said: Mapping[str, Any]) -> None:
        if self._sound(said):
            report, warned = self._composed()
            self._tell("preview", html=preview(report.message)._repr_html_())  # as IPython asks for it
            self._say("warn" if warned else "note", " ".join(warned))

    def do_code(self, said: Mapping[str, Any]) -> None:
        if self._sound(said):
            self._tell("code", code=self.kept.mail.code())
            self._say("note", "")

    def do_discard(self, said: Mapping[str, Any]) -> None:
        if said.get("id") == self._id and not self.worker.running:
            self._begin_anew()
            self._say("note", "Discarded.")

    def do_send(self, said: Mapping[str, Any]) -> None:
        if not self._sound(said):
            return
        again = sorted({*self.kept.had} & {*self.kept.mail.recipients()})
        if (again or self.kept.sending) and said.get("sure") is not True:
            self._tell("ask", text=_BEGUN if self.kept.sending else _AGAIN.format(few(again)))
            return
        unsent, warned = self._composed()
        connection = connections.pick(self.kept.mail.connection or None, sends=True)
        self._work("Connecting …", lambda: self._deliver(unsent, connection, warned))

    def do_draft(self, said: Mapping[str, Any]) -> None:
        if not self._sound(said):
            return
        message = self._composed()[0].message
        if said.get("where"):
            mailbox = connections.pick(str(said["where"]))
            # A session of it that waits may be one that sends.
            require_imap(mailbox)
            self._work("Saving …", lambda: self._put(message, mailbox))
        else:
            self._say(
                "good",
                f"Saved as {atomic_files.show(write_draft(message, str(said.get('path', ''))))}. Nothing was sent.",
            )

    _acts: Final[Mapping[str, Callable[[Composer, Mapping[str, Any]], None]]] = {
        "ready": do_ready,
        "edit": do_edit,
        "complete": do_complete,
        "look": do_look,
        "preview": do_preview,
        "code": do_code,
        "discard": do_discard,
        "send": do_send,
        "draft": do_draft,
    }

    # The mail

    def _sound(self, said: Mapping[str, Any]) -> bool:
        """Whether something can be done with the mail that came with the request; else it is said what is wrong."""
        if said.get("id") != self._id:
            self._tell_all()
            self._say("note", "That mail has already been sent or discarded.")
            return False
        if self.worker.running:
            return False
        self.do_edit(said)
        problems = self._problems(anew=True)
        self._tell("problems", problems=problems)
        if problems:
            self._say("bad", "Nothing was sent: see the fields that are marked.")
        return not problems

    def _problems(self, *, anew: bool = False) -> dict[str, str]:
        """What is wrong with the mail; its files are only looked at ``anew``, or when they are others."""
        mail = self.kept.mail
        problems = mail.problems(self._namespace(), None if anew else self._files)
        self._files = mail.files, problems.get("files", "")
        return problems

    def _composed(self) -> tuple[SendReport, list[str]]:
        """What would be sent, and what there is to say of it."""
        mail = self.kept.mail
        with heard_warnings() as warned:
            content = mail.content(self._namespace())
            report = send(mail.connection or None, mail.to, mail.subject, *content, dry_run=True, **mail.options())
        return report, warned

    @staticmethod
    def _namespace() -> Mapping[str, Any]:
        return getattr(get_ipython(), "user_ns", {})

    def _begin_anew(self) -> None:
        """An empty mail, through the same connection."""
        self._id = secrets.token_hex(8)
        self._notice = ("", "")
        self.kept = Kept(TypedMail(self.kept.mail.connection), self.kept.rev + 1)
        self._keep()
        self._tell_all()

    # Keeping

    def _open(self) -> None:
        """Take up what was typed here before, once there is somebody to see it."""
        if self._opened:
            return
        self._opened = True
        before = _composers.get(self._place)
        if before is not None and before.worker.running:
            # Its mail is its own until it is known what becomes of it.
            before = None
        if before is not None:
            before.close()
        _composers[self._place] = self
        try:
            self.unsent = Unsent(self._place)
        except MailConnError as error:
            self._not_kept(error)
        kept = Kept(TypedMail()) if self.unsent is None else self.unsent.kept
        if before is not None and before.kept.rev > kept.rev:
            kept = before.kept
        if self._named or not kept.mail.connection:
            kept = replace(kept, mail=replace(kept.mail, connection=self.kept.mail.connection))
        if not kept.mail.is_empty:
            self.kept, self._notice = kept, ("note", restored(kept))
        elif self.unsent is not None and self.unsent.elsewhere:
            self._notice = ("note", "Another form has the mail of this cell; this is a new one.")
        if (shell := get_ipython()) is not None:
            shell.events.register("post_run_cell", self._cell_ran)

    def _keep(self) -> None:
        if self.unsent is None:
            return
        try:
            self.unsent.write(self.kept)
        except MailConnError as error:
            self._not_kept(error)
        else:
            self._notice = ("", "") if self._notice[0] == "warn" else self._notice

    def _not_kept(self, error: MailConnError) -> None:
        self._notice = ("warn", f"If the kernel ends, what you type is lost: {error.message}")

    # Saying

    def _say(self, kind: str, text: str, rows: list[tuple[str, str, str]] | None = None) -> None:
        self._tell("status", kind=kind, text=text, rows=rows or [])

    def _tell_all(self) -> None:
        found = connections.survey()[0]
        sending = [connection for connection in found if connection.sends]
        self._tell(
            "all",
            place="" if self.unsent is None else self.unsent.name,
            id=self._id,
            rev=self.kept.rev,
            mail=self.kept.mail.as_dict(),
            notice=self._notice,
            busy=self.worker.running,
            connections=[{"name": each.name, "from": from_of(each)} for each in sending],
            mailboxes=[each.name for each in found if each.protocol == "IMAP"],
        )

    def _tell_results(self, *, anew: bool = False) -> None:
        hidden = getattr(get_ipython(), "user_ns_hidden", {})
        found = results(self._namespace(), hidden)
        if anew or found != self._listed:
            self._listed = found
            self._tell("results", results=found)

    def _cell_ran(self, _: Any = None) -> None:
        # An error would be printed below every cell.
        with self.guard, suppress(Exception):
            self._tell_results()

    # Working

    def _work(self, said: str, work: Callable[[], None]) -> None:
        self._say("note", said)
        self.worker.start(lambda _: self._run(work))

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except MailConnError as error:
            self._say("bad", error.in_one_line)
        except Exception as error:  # noqa: BLE001  # an error of a thread is nobody's: say it where it is looked for
            self._say("bad", f"It failed: {type(error).__name__}.")
        with self.guard, self.worker.ending():
            if self._closed:
                self._release()
            self._tell("busy", busy=False)

    def _deliver(self, unsent: SendReport, connection: MailConnection, warned: list[str]) -> None:
        # What became of an earlier try is not known better by one that fails.
        doubtful = self.kept.sending
        self.set_sending(True)
        report: SendReport | None = None
        trouble = ""
        more: list[str] = []
        try:
            with (
                heard_warnings() as more,
                lent_session(connection, keep=connection.protocol == "SMTP", ask=False) as session,
            ):
                count = counted(len(unsent.outcomes), "recipient")
                self._say("note", f"Sending {how_large(unsent.size)} to {count} …")
                report = send_composed(session, unsent.message)
        except DeliveryError as error:
            report, trouble = error.report, error.in_one_line
        except MailConnError:
            raise
        except BaseException:
            # Who knows how far it had come.
            doubtful = True
            raise
        finally:
            with self.guard:
                self.set_sending(doubtful, report)
        assert report is not None
        warned = [*warned, *more]
        rows = rows_of(report)
        if report.ok:
            with self.guard:
                self._begin_anew()
            self._offered.prepare()
            self._say("warn" if warned else "good", " ".join([f"{report.summary}.", *warned]), rows)
        else:
            self._say("bad", " ".join([trouble, *warned]), rows)

    def set_sending(self, sending: bool, report: SendReport | None = None) -> None:
        """Note it on the disk: whoever finds the mail in the next kernel must know what may have become of it."""
        had = () if report is None else (*report.accepted, *report.unknown)
        with self.guard:
            self.kept = replace(self.kept, sending=sending, had=tuple(dict.fromkeys((*self.kept.had, *had))))
            self._keep()

    def _put(self, message: EmailMessage, mailbox: MailConnection) -> None:
        with lent_session(mailbox, keep=True, ask=False, opened=FilingSession.opened) as session:
            self._say("good", f"{put_draft(session, message)}. Nothing was sent.")

    def close(self) -> None:
        """Leave the mail to the next form."""
        with self.guard:
            if (shell := get_ipython()) is not None:
                with suppress(ValueError):
                    shell.events.unregister("post_run_cell", self._cell_ran)
            if _composers.get(self._place) is self:
                del _composers[self._place]
            self._closed = True
            # What is being sent is its own until it is known what becomes of it.
            if not self.worker.running:
                self._release()
        self._on_close()

    def _release(self) -> None:
        if self.unsent is not None:
            self.unsent.release()
            self.unsent = None
