"""``${NAME}`` in an option: which variables stand for their values, and what a value is called where somebody reads.

A connection may have been written by somebody else. What it expands goes into a look-up of a name, to a server, into reports
and errors; so a variable that looks like a secret is not expanded, and of any other no error or report shows the value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from ..domains import ascii_domain
from ..errors import MailConnError, OptionError

__all__ = ["VARIABLE", "Environment", "Veil", "expand", "has_variable", "names_a_secret"]

VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")

# PWD and OLDPWD are directories; of words that begin others (PASS, AUTH, KEY, PAT) the whole word counts.
_SECRET: Final = re.compile(
    r"SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|APIKEY|COOKIE|CONNECTION_?STRING|_PWD"
    r"|(?:^|_)KEYS?$|(?:^|_)(?:PASS|PAT|AUTH|JWT|BEARER|DSN)(?:_|$)|^MAILCONN_",
    re.IGNORECASE,
)
_URL_WITH_PASSWORD: Final = re.compile(r"//[^/\s]*:[^/\s]*@")


class Environment(Mapping[str, str]):
    """The environment's variables (by default this process's), which do not show: there are passwords among them.

    ``%xmode Verbose`` prints the variables of every frame, and of a mapping all that it holds.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __repr__(self) -> str:
        return f"<environment of {len(self)} variables>"


def has_variable(value: object) -> bool:
    """Whether ``value`` holds a ``${NAME}`` that is only known when the session opens."""
    return isinstance(value, str) and VARIABLE.search(value) is not None


def expand(value: str, environ: Mapping[str, str], *, label: str, trait: str) -> str:
    """Replace each ``${NAME}`` by the environment's value; a name that is undefined or a secret's is an error."""

    def replacement(match: re.Match[str]) -> str:
        name = match.group(1)
        _refuse_secret(name, environ, label=label, trait=trait)
        if name not in environ:
            raise OptionError(
                f"{label}: the environment has no variable {name!r}.",
                trait=trait,
                hint=f"Set {name} before the kernel starts, or with %env in this notebook.",
            )
        return environ[name]

    return VARIABLE.sub(replacement, value)


def names_a_secret(name: str) -> bool:
    """Whether a variable of that name holds a secret, as far as its name says.

    >>> names_a_secret("DB_PASSWORD"), names_a_secret("MAIL_HOST")
    (True, False)
    """
    return _SECRET.search(name) is not None


def _refuse_secret(name: str, environ: Mapping[str, str], *, label: str, trait: str) -> None:
    """Raise :class:`~mailconn_jupyter.errors.OptionError` where a variable is a secret, by its name or its value."""
    if names_a_secret(name):
        why = "its name says that it is a secret"
    elif _URL_WITH_PASSWORD.search(environ.get(name, "")):
        why = "it contains a URL with a password"
    else:
        return
    raise OptionError(
        f"{label}: ${{{name}}} is not expanded: {why}, and the server would see it.",
        trait=trait,
        hint="Passwords belong in %mailconn password; a variable that is not a secret needs another name.",
    )


class Veil:
    """Puts what is written in a connection, ``${MAIL_HOST}``, in the place of its value.

    ``written`` has the texts by their values.

    >>> Veil({"mail.example.org": "${MAIL_HOST}"}).text("The host 'mail.example.org' is unknown.")
    "The host '${MAIL_HOST}' is unknown."
    """

    def __init__(self, written: Mapping[str, str]) -> None:
        self._written = {form: text for value, text in written.items() for form in _forms(value)}
        # The longest first; within a word it is another word.
        found = "|".join(map(re.escape, sorted(self._written, key=len, reverse=True)))
        self._pattern = re.compile(rf"(?<![\w-])(?:{found})(?![\w-])") if found else None

    def text(self, text: str) -> str:
        """``text`` without the values."""
        return self._pattern.sub(lambda match: self._written[match.group()], text) if self._pattern else text

    def error(self, error: BaseException) -> None:
        """Take the values out of an error, and of what led to it, in place."""
        links: list[BaseException | None] = [error] if self._pattern else []
        while links:
            link = links.pop()
            if link is None:
                continue
            link.args = tuple(self.text(part) if isinstance(part, str) else part for part in link.args)
            for name in ("message", "hint", "strerror", "verify_message"):
                if isinstance(said := getattr(link, name, None), str):
                    with suppress(AttributeError):
                        setattr(link, name, self.text(said))
            links += [link.__cause__, link.__context__]

    @contextmanager
    def over_errors(self) -> Iterator[None]:
        """Take the values out of whatever of our errors the block raises."""
        try:
            yield
        except MailConnError as error:
            self.error(error)
            raise


def _forms(value: str) -> set[str]:
    forms = {value, value.casefold(), value.strip()}
    with suppress(UnicodeError):
        forms.add(ascii_domain(value))
    return forms - {""}
