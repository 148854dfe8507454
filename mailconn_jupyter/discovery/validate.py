"""``validate()``: which addresses can be mailed to at all, before anything is sent to them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import MailConnError, MessageError, OptionError
from ..extras import install
from ..formatting import shown
from ..keywords import public
from ..message.addresses import envelope_address
from ..message.texts import mended
from ..pandas_tables import own_pandas
from ..progress import Tell, finish, teller
from ..scalars import plain
from .dns_answers import resolver
from .mail_domains import MailDomain, mail_domains
from .providers import meant_by

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["validate"]

_NOT_ASKED: Final = MailDomain(True)
_PRIVATE: Final = "Unknown: {domain} is not a public domain name."
_EXAMPLE: Final = "For example"


@dataclass(frozen=True, slots=True)
class _Row:
    valid: bool | None
    why: str = ""
    meant: str = ""


@public
def validate(
    addresses: str | Iterable[Any],
    *,
    mx: bool = True,
    deadline: float = 30.0,
    progress: bool | Tell | None = None,
) -> pd.DataFrame:
    """A :class:`pandas.DataFrame` with a row for each address: whether mail can be sent there at all.

    ``addresses`` is one address or many, as text, alone or as ``Ana <ana@example.org>``: a list, a Series (whose index the
    table has), an array. Its columns: ``address`` (as it was given), ``valid`` (missing where that cannot be told), ``why``
    (empty where it is valid), ``did_you_mean`` (an address at a large provider that this one may be a slip of; missing where
    none is near).

    An address is invalid if it is not exactly one mailbox (RFC 5321, RFC 6531), and, with ``mx``, if DNS says that its
    domain does not exist, has no server for mail, or takes none (RFC 7505). That needs dnspython (the extra
    ``discover``). Each domain is asked for once, many at a time, within ``deadline`` seconds together; what is not
    answered cannot be told. No mail server is asked: whether somebody has that address there, only a mail to them
    tells, and whoever asks for many is taken for a sender of spam.

    ``progress`` is called with the number of domains that are known, and the share of all (0 to 1); True shows it.

    Raises :class:`~mailconn_jupyter.errors.OptionError` for what is not a list of addresses, and
    :class:`~mailconn_jupyter.errors.MailConnError` where pandas, or with ``mx`` dnspython, is not installed.
    """
    pd = own_pandas("validate()")
    seconds = plain(deadline)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= threading.TIMEOUT_MAX:
        raise OptionError("deadline must be a number of seconds.", trait="deadline")
    index = addresses.index if isinstance(addresses, pd.Series) else None
    given = _listed(addresses)
    keys = [_key(each, pd) for each in given]
    judged = _judged(dict.fromkeys(keys), mx=mx, deadline=float(seconds), tell=teller(progress, "domains asked about"))
    rows = [judged[key] for key in keys]
    # What is no text at all, as Python writes it; halves of characters have no place in a table.
    texts = [
        mended(key) if isinstance(key, str) else None if key is None else shown(each)
        for key, each in zip(keys, given, strict=True)
    ]
    return pd.DataFrame(
        {
            "address": pd.Series(texts, dtype="str", index=index),
            "valid": pd.Series([row.valid for row in rows], dtype="boolean", index=index),
            "why": pd.Series([row.why for row in rows], dtype="str", index=index),
            "did_you_mean": pd.Series([row.meant or None for row in rows], dtype="str", index=index),
        }
    )


def _listed(addresses: Any) -> list[Any]:
    if isinstance(addresses, str):
        return [addresses]
    # Of a table the names of its columns would be taken for addresses, of bytes their numbers.
    if isinstance(addresses, bytes | Mapping) or hasattr(addresses, "columns") or not isinstance(addresses, Iterable):
        raise OptionError(
            f"validate() takes addresses, not {type(addresses).__name__}.",
            hint='Give it a list of texts, or a column: mailconn.validate(df["email"])',
        )
    return list(addresses)


Key = str | type | None


def _key(value: Any, pd: Any) -> Key:
    """The text that is meant; None for a gap, as the libraries write it, and the type of anything else."""
    if type(value) is str:
        return value
    value = plain(value)
    if isinstance(value, str):
        return str(value)
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    return type(value)


def _judged(keys: Iterable[Key], *, mx: bool, deadline: float, tell: Tell) -> dict[Key, _Row]:
    found: dict[Key, _Row] = {}
    whole: dict[str, tuple[str, str]] = {}  # local part and domain
    for key in keys:
        if key is None or (isinstance(key, str) and not key.strip()):
            found[key] = _Row(False, "There is no address.")
        elif not isinstance(key, str):
            found[key] = _Row(False, f"An address is text, not {key.__name__}.")
        else:
            try:
                local, _, domain = envelope_address(key, what="address").text.rpartition("@")
                whole[key] = local, domain.lower()
            except MessageError as error:
                hint = "" if error.hint.startswith(_EXAMPLE) else error.hint
                found[key] = _Row(False, f"{error.message} {hint}".strip())
    domains = _domains({domain for _, domain in whole.values()}, mx=mx, deadline=deadline, tell=tell)
    meant = {domain: meant_by(domain) for domain in domains}
    for text, (local, domain) in whole.items():
        known, near = domains[domain], meant[domain]
        found[text] = _Row(known.takes_mail, known.why, f"{local}@{near}" if near else "")
    return found


def _domains(names: set[str], *, mx: bool, deadline: float, tell: Tell) -> dict[str, MailDomain]:
    if not mx:
        return dict.fromkeys(names, _NOT_ASKED)
    asked = sorted(name for name in names if "." in name and not name.startswith("["))
    private = {name: MailDomain(None, _PRIVATE.format(domain=name)) for name in names - set(asked)}
    if not asked:
        return private
    by = resolver()
    if by is None:
        raise _no_resolver()
    known: list[str] = []

    def on_known(name: str) -> None:
        known.append(name)
        tell(len(known), len(known) / len(asked))

    try:
        return private | mail_domains(asked, by=by, deadline=deadline, on_known=on_known)
    finally:
        finish(tell)


def _no_resolver() -> MailConnError:
    try:
        import dns.resolver  # noqa: F401, PLC0415  # an extra
    except ModuleNotFoundError:
        return MailConnError(
            "Asking DNS whether a domain takes mail needs dnspython, which is not installed.",
            hint=f"Run: %{install('discover')}; or leave it out: mx=False",
        )
    return MailConnError("This machine names no server for DNS.", hint="Leave it out: mx=False")
