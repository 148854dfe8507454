"""Which proxy a connection goes through, if any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ...connection import MailConnection
from ...connection.expansion import Environment
from ...connection.proxy_url import ProxyURL
from ...credentials import Kind, Secret, remember, resolve
from ...errors import OptionError
from ...transport.proxy import ProxyRoute

__all__ = ["VARIABLES", "route_of"]

_NAMING: Final = ("ALL_PROXY", "all_proxy")
_EXCEPTING: Final = ("NO_PROXY", "no_proxy")
#: The variables that a proxy may be taken from.
VARIABLES: Final = (*_NAMING, *_EXCEPTING)


def route_of(
    connection: MailConnection, *, ask: bool = True, environ: Mapping[str, str] | None = None
) -> ProxyRoute | None:
    """The proxy that a (resolved) connection names, or allows to be taken from ``ALL_PROXY``; None: no proxy.

    A proxy of the environment is used only where ``use_environment_proxy`` is on, and ``NO_PROXY`` does not name the
    server. A password is fetched only where there is a user; raises
    :class:`~mailconn_jupyter.errors.CredentialError` when it cannot be had.
    """
    if not connection.use_proxy:
        host = connection.server_host
        return _from_environment(host, Environment(environ)) if connection.use_environment_proxy else None
    if not connection.proxy_username or connection.proxy_type == "SOCKS4":
        return _route(connection)
    found = resolve(connection, kind=Kind.PROXY, ask=ask)
    if found.source != "prompt":
        return _route(connection, found.secret)
    # It may be wrong: it is remembered once the proxy has taken it, so that a session can open again without a question.
    return _route(connection, found.secret, lambda: remember(connection, found.secret, kind=Kind.PROXY))


def _route(
    connection: MailConnection, secret: Secret | None = None, accepted: Callable[[], None] | None = None
) -> ProxyRoute:
    port = connection.proxy_port_used
    assert isinstance(port, int)
    reveal = secret.reveal if secret is not None else None
    return ProxyRoute(connection.proxy_type, connection.proxy_host, port, connection.proxy_username, reveal, accepted)


def _from_environment(host: str, environ: Environment) -> ProxyRoute | None:
    variable = next((name for name in _NAMING if environ.get(name)), None)
    if variable is None:
        return None
    # Heavy, and needed here alone. Names, their ends, or * for every host, as other programs read the variable.
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # noqa: PLC0415  # not in the stubs

    excepted = next((said for name in _EXCEPTING if (said := environ.get(name))), "")
    if proxy_bypass_environment(host, {"no": excepted}):
        return None
    try:
        # A secret, for the frames below can be in a traceback.
        found = ProxyURL.parse(environ[variable])
        return _route(MailConnection(**found.options()), found.password)
    except OptionError as error:
        raise OptionError(
            f"The variable {variable} does not hold the URL of a proxy.",
            trait="use_environment_proxy",
            hint=error.hint,
        ) from None
