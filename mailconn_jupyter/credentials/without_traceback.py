"""Running what handles a secret so that no traceback can show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["sealed"]

T = TypeVar("T")


def sealed(action: Callable[[], T]) -> T:
    """The result of ``action``; an error of it is raised anew from here, without the frames that it came through.

    Those frames hold the secret in their locals, also in the standard library, and ``%xmode Verbose`` prints locals.
    """
    try:
        return action()
    except BaseException as error:  # noqa: BLE001  # an interrupt, too, would show the frames
        failure = error
    links: list[BaseException | None] = [failure]
    while links:
        link = links.pop()
        if link is not None:
            link.__traceback__ = None
            links += [link.__cause__, link.__context__]
    raise failure
