"""``signin`` and ``signout``: a person once, and the connection from then on (OAuth 2.0)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from ..credentials.account import Account
from ..credentials.manage import require_place
from ..credentials.naming import command
from ..errors import SignInError
from ..formatting import escape, prose
from ..secret import Kind
from ..session import sign_in as signing
from ..store import connections
from .view import Passing

if TYPE_CHECKING:
    from ..session.sign_in_prompt import SignInPrompt

__all__ = ["signin", "signout"]


def signin(*, target: str | None = None, flow: str | None = None) -> Generator[object]:
    """Show what a person needs, wait for them, keep the sign-in, and test the connection."""
    connection = connections.pick(target)
    require_place(Account.of(connection, Kind.REFRESH))
    begun = signing.begin(connection, flow=flow or "")
    # Nothing of it is left in the notebook.
    yield Passing(PromptView(begun.prompt))
    try:
        done = begun.finish(signing.answer(begun.prompt))
    except KeyboardInterrupt:
        again = command(connection.name, Kind.REFRESH)
        raise SignInError("The sign-in was cancelled.", cause="cancelled", hint=f"Start again: {again}") from None
    yield str(done)
    if done.report is not None and done.report.error is not None:
        raise done.report.error


def signout(*, target: str | None = None) -> Iterator[str]:
    """Revoke the sign-in and forget it."""
    connection = connections.pick(target)
    yield from signing.sign_out(connection)
    yield f"{connection.name!r} is signed out."


class PromptView:
    """What a person must see, large enough to read from another device, with a button that copies the code."""

    def __init__(self, prompt: SignInPrompt) -> None:
        self.prompt = prompt

    def __repr__(self) -> str:
        waits = "Waiting for you to approve; interrupt the cell to cancel." if self.prompt.code else ""
        return "\n".join(part for part in (str(self.prompt), waits) if part)

    def _repr_html_(self) -> str:
        prompt = self.prompt
        if not prompt.code:
            return (
                f"<p style='margin:.3em 0'>To sign in for <b>{prose(prompt.name)}</b>, "
                f"{_link(prompt.link, 'open this page')}. The last page will fail to load; that is expected. "
                "Copy its address and paste it below.</p>"
            )
        direct = ""
        if prompt.link:
            direct = f" Or open {_link(prompt.link, 'the page with the code in it')}."
        return (
            f"<p style='margin:.3em 0'>To sign in for <b>{prose(prompt.name)}</b>, open this page, here or on any "
            "other device, and enter the code:</p>"
            f"<p style='font-size:1.4em;margin:.3em 0'>{_link(prompt.uri, prompt.uri)}</p>"
            f"<p style='margin:.3em 0'><code style='{_LARGE}'>{prose(prompt.code)}</code> <button type='button' "
            f"style='{_BUTTON}' data-code='{escape(prompt.code)}' onclick='{_COPY}'>Copy the code</button></p>"
            f"<p style='margin:.3em 0'>Waiting for your approval, for {prompt.time} at most; "
            f"interrupt the cell to cancel.{direct}</p>"
        )


def _link(address: str, text: str) -> str:
    style = "text-decoration:underline;overflow-wrap:anywhere"
    return f"<a style='{style}' href='{escape(address)}' target='_blank' rel='noopener noreferrer'>{prose(text)}</a>"


# The colours of JupyterLab's theme, where there is one.
_LARGE = "font-size:2em;letter-spacing:.06em;user-select:all;background:none;color:inherit;padding:0;margin-right:.3em"
_BUTTON = (
    "font:inherit;padding:.2em .8em;vertical-align:.35em;border:1px solid var(--jp-border-color1,#888);border-radius:2px;"
    "background:var(--jp-layout-color2,#eee);color:var(--jp-ui-font-color1,#222);cursor:pointer"
)
_COPY = (
    "navigator.clipboard.writeText(this.dataset.code).then("
    "() => this.textContent = &quot;Copied&quot;, () => this.textContent = &quot;Select it, and copy&quot;)"
)
