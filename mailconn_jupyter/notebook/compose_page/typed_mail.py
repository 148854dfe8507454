"""What was typed into the form: the mail as it stands, what is wrong with it, and the call of ``send()`` that it means.

Nothing here knows of widgets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.util import find_spec
from keyword import iskeyword
from typing import Any, Final

from ...errors import MailConnError
from ...message.attach.attachments import attached
from ...message.mime.mailboxes import mailboxes
from ...message.render.part import Options
from ...message.render.words import Markdown

__all__ = ["TypedMail", "is_name"]

_RECIPIENTS: Final = {"to": "recipient", "cc": "cc recipient", "bcc": "bcc recipient"}


@dataclass(frozen=True)
class TypedMail:
    """``to``, ``cc`` and ``bcc`` are addresses and groups, as typed; ``results`` names of the notebook; ``files`` paths."""

    connection: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    body: str = ""
    results: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Any) -> TypedMail:
        """From what a front end or a file says; what is missing there, or of another type, is as in an empty mail."""
        found: dict[str, Any] = {}
        for field in fields(cls):
            value = given.get(field.name) if isinstance(given, Mapping) else None
            if isinstance(field.default, str):
                found[field.name] = value if isinstance(value, str) else ""
            else:
                texts = value if isinstance(value, list | tuple) else ()
                found[field.name] = tuple(dict.fromkeys(text for text in texts if isinstance(text, str)))
        return cls(**found)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that somebody has typed or chosen."""
        return replace(self, connection="") == TypedMail()

    def problems(
        self, namespace: Mapping[str, Any], looked: tuple[tuple[str, ...], str] | None = None
    ) -> dict[str, str]:
        """What keeps it from being sent, in a sentence or two, by the field beside which it is to be said.

        ``looked`` are files with what was found wrong with them: the same ones are not looked at again, for a pattern
        may take seconds.
        """
        found = {}
        for field, what in _RECIPIENTS.items():
            try:
                mailboxes(getattr(self, field), what)
            except MailConnError as error:
                found[field] = error.in_one_line
        if not any(getattr(self, field).strip(" ,") for field in _RECIPIENTS):
            found["to"] = "Who is it for? For example: ana@example.org"
        if unfit := [name for name in self.results if not is_name(name)]:
            found["results"] = (
                f"{', '.join(unfit)}: not a name under which a result can be sent. Give the result another name, or take "
                "it out of the mail."
            )
        elif missing := [name for name in self.results if name not in namespace]:
            found["results"] = (
                f"{', '.join(missing)}: not in this kernel. Run the cell that makes it, or take it out of the mail."
            )
        wrong = looked[1] if looked and looked[0] == self.files else next(self._wrong_files(), "")
        if wrong:
            found["files"] = wrong
        if not self.body.strip() and not self.results and not self.files:
            found["body"] = "The mail is empty. Write a text, choose a result or attach a file."
        return found

    def _wrong_files(self) -> Iterator[str]:
        for path in self.files:
            try:
                attached([path], Options(), None, False)
            except MailConnError as error:
                yield error.in_one_line

    def recipients(self) -> list[str]:
        """Every address that it goes to, groups resolved. Raises :class:`MessageError` for what is none."""
        return [
            str(each.address) for field, what in _RECIPIENTS.items() for each in mailboxes(getattr(self, field), what)
        ]

    def content(self, namespace: Mapping[str, Any]) -> list[Any]:
        """The text, and after it the results in the order in which they were chosen."""
        text = [_words(self.body)] if self.body.strip() or not self.results else []
        return [*text, *(namespace[name] for name in self.results)]

    def options(self) -> dict[str, Any]:
        """The keywords of ``send()``."""
        given = {"cc": self.cc.strip(), "bcc": self.bcc.strip(), "attachments": list(self.files)}
        return {name: value for name, value in given.items() if value}

    def code(self) -> str:
        """The cell that sends the same."""
        text = _literal(self.body)
        if isinstance(_words(""), Markdown):
            text = f"mailconn.Markdown{text}" if text.startswith("(") else f"mailconn.Markdown({text})"
        given = [
            _literal(self.connection) if self.connection else "None",
            _literal(self.to.strip()),
            _literal(self.subject),
        ]
        given += [text] if self.body.strip() or not self.results else []
        given += self.results
        for name, value in self.options().items():
            given.append(f"{name}={_literal(value) if isinstance(value, str) else _list(value)}")
        lines = "".join(f"    {each},\n" for each in given)
        return f"import mailconn_jupyter as mailconn\n\nmailconn.send(\n{lines})\n"


def is_name(name: object) -> bool:
    """Whether the code that sends the same can say it, and mean the result by it."""
    return (
        isinstance(name, str)
        and name.isidentifier()
        and not iskeyword(name)
        and not name.startswith("_")
        and name != "mailconn"
    )


def _words(body: str) -> str:
    """The text as what it is: Markdown, where that can be shown (the extra ``report``)."""
    return Markdown(body) if find_spec("markdown_it") is not None else body


def _list(texts: list[str]) -> str:
    return f"[{', '.join(map(_literal, texts))}]"


def _literal(text: str) -> str:
    """The text as Python writes it, a line of it a line of code."""
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return _quoted(text)
    written = "".join(f"\n        {_quoted(line)}" for line in lines)
    return f"({written}\n    )"


def _quoted(text: str) -> str:
    written = repr(text)
    return written if '"' in text or "'" in text else f'"{written[1:-1]}"'
