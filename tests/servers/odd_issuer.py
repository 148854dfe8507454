"""An authorization server that answers from a script, for what no certified one would say: Microsoft's odd replies."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.parse
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

__all__ = ["OddIssuer", "page", "said"]

Answer = tuple[int, str, bytes, dict[str, str]]


def said(status: int = 200, /, headers: Any = None, **fields: Any) -> Answer:
    """An answer in JSON."""
    return status, "application/json", json.dumps(fields).encode(), headers or {}


def page(status: int = 200, text: str = "<html><body>Sign in to the Wi-Fi</body></html>", **headers: str) -> Answer:
    """A web page in place of an answer."""
    return status, "text/html; charset=utf-8", text.encode(), headers


class OddIssuer:
    """Serves plain HTTP on a loopback port; metadata by itself, every other question by its script.

    ``script`` holds, by path (``/token``, ``/devicecode``), the answers to one question after another; the last one goes
    on. ``asked`` is what came, each as path and fields.
    """

    def __init__(self, metadata: dict[str, Any] | None = None, **script: Sequence[Answer]) -> None:
        self.script = {f"/{path}": list(answers) for path, answers in script.items()}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._changes = metadata or {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                about = self.path == "/.well-known/openid-configuration"
                self._answer(outer._metadata() if about else outer._next(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                outer.asked.append((self.path, dict(urllib.parse.parse_qsl(body))))
                self._answer(outer._next(self.path))

            def _answer(self, answer: Answer) -> None:
                status, kind, data, headers = answer
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as it is called there
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _metadata(self) -> Answer:
        known = {
            "issuer": self.url,
            "token_endpoint": f"{self.url}/token",
            "device_authorization_endpoint": f"{self.url}/devicecode",
            "authorization_endpoint": f"{self.url}/authorize",
        }
        return said(**(known | self._changes))

    def _next(self, path: str) -> Answer:
        answers = self.script.get(path.partition("?")[0], [page(404, "<h1>Not found</h1>")])
        return answers.pop(0) if len(answers) > 1 else answers[0]
