"""Microsoft Graph, as far as a mailbox that sends needs it; a real one cannot be had here.

Its rules, each with its source (all below https://learn.microsoft.com/graph/):

- ``POST /me/sendMail`` or ``/users/ADDRESS/sendMail``, ``text/plain``, the MIME in Base64: 202 and no body; what is no Base64: 400
  ``ErrorMimeContentInvalidBase64String`` (api/user-sendmail). A token that is not good: 401 ``InvalidAuthenticationToken``; one
  without the permission: 403 ``ErrorAccessDenied`` (errors); ``/me`` without a user: 400 (auth-v2-service).
- ``POST /messages``, ``text/plain``: a draft, 201 (api/user-post-messages); ``POST /messages/ID/send``: 202 (api/message-send);
  ``DELETE /messages/ID``: 204 (api/message-delete).
- A file under 3 MB: one ``POST`` to ``attachments``, 201; by an upload session it is refused with
  ``ErrorAttachmentSizeShouldNotBeLessThanMinimumSize``. From 3 MB to 150 MB: ``createUploadSession``, 201, with ``uploadUrl``;
  ``PUT`` there, in order, without ``Authorization``: 200 with ``nextExpectedRanges``, at the end 201 with ``Location``
  (outlook-large-attachments; a ``GET`` there tells how far it is, as Microsoft's SDKs ask).
- Over 4 MB in one request: 413. Over four requests at once to a mailbox: 429 (throttling-limits).
"""

from __future__ import annotations

import base64
import binascii
import http.server
import json
import re
import secrets
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from tests.servers.certificates import Certificates

__all__ = ["Answer", "Cut", "GraphServer", "Sent", "Wait", "answer", "error", "html", "options_for"]

#: 4 MB, and so much more that a file of just under 3 MB fits, as the documents want it.
MOST = 4 * 2**20 + 1024
SMALLEST_OF_SESSIONS = 3 * 2**20
AT_ONCE = 4
PROBE = b"-"


@dataclass(frozen=True)
class Answer:
    status: int
    data: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """The link breaks: before the question is looked at, or (``done``) when it was done and the answer is due."""

    done: bool = False


@dataclass(frozen=True)
class Wait:
    """The answer comes when the event is set."""

    until: threading.Event


def answer(status: int = 200, /, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    return Answer(status, json.dumps(fields).encode() if fields else b"", headers=headers or {})


def error(status: int, code: str, message: str, **headers: str) -> Answer:
    """An error in Graph's form."""
    said = {"error": {"code": code, "message": message, "innerError": {"request-id": "5b5a"}}}
    return Answer(
        status, json.dumps(said).encode(), headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def html(status: int) -> Answer:
    return Answer(status, b"<html><body>Bad Gateway</body></html>", "text/html; charset=utf-8")


@dataclass
class Sent:
    """A message that was sent: its MIME, or what is left of it where it was a draft, and the files of the draft."""

    mime: bytes
    files: dict[str, bytes] = field(default_factory=dict)
    about: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Upload:
    draft: Sent
    about: dict[str, Any]
    data: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Asked:
    """One question: its method, path, headers and number of bytes, and from which address it came."""

    method: str
    path: str
    headers: dict[str, str]
    size: int
    peer: str


def options_for(graph: GraphServer, certificates: Certificates, **options: Any) -> dict[str, Any]:
    """The options of a connection to it."""
    given = {
        "name": "ops",
        "protocol": "GRAPH",
        "server_host": "localhost",
        "server_port": graph.port,
        "username": "ana@company.example",
        "ca_file": str(certificates.ca.pem),
    }
    return given | options


class GraphServer:
    """A context manager; listens over TLS on a loopback port, or in plain text without ``tls``.

    ``tokens`` are those that are good, ``permissions`` what they may do. ``script`` holds, by method and the path's last
    word (``POST sendMail``, ``PUT upload``), what happens in place of the next answers, None for the usual; the question
    whether a token may send is not counted there. ``sent`` and ``drafts`` are what came of it, ``asked`` all that was asked.
    """

    def __init__(self, tls: ssl.SSLContext | None, token: str = "", *, app_only: bool = False) -> None:
        self.tokens = {token}
        self.permissions = {"Mail.Send", "Mail.ReadWrite"}
        self.app_only = app_only
        self.script: defaultdict[str, list[Answer | Cut | Wait | None]] = defaultdict(list)
        self.sent: list[Sent] = []
        self.drafts: dict[str, Sent] = {}
        self.deleted: list[str] = []
        self.asked: list[Asked] = []
        self.most_at_once = 0
        #: What is in the addresses of uploads, and nowhere else.
        self.upload_secrets: list[str] = []
        self.upload_host = "127.0.0.1"
        self.upload_scheme = "https"
        #: Seconds after which a link is closed over which nothing was asked; and set when one was.
        self.patience: float | None = None
        self.gave_up = threading.Event()
        self._uploads: dict[str, Upload] = {}
        self._now, self._guard = 0, threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is no news
        if tls is not None:
            # The handshake in the thread of the link, for one that never ends would keep out the others.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, method: str, last: str) -> int:
        """How often that was asked, without the questions that only prove the login."""
        return sum(
            one.method == method and one.path.partition("?")[0].endswith(last) and one.size != len(PROBE)
            for one in self.asked
        )

    # What a question does

    def handle(self, asked: Asked, data: bytes) -> Answer | Cut:
        with self._guard:
            self.asked.append(asked)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            return self._scripted(asked, data)
        finally:
            with self._guard:
                self._now -= 1

    def _scripted(self, asked: Asked, data: bytes) -> Answer | Cut:
        word = "upload" if asked.path.startswith("/upload/") else asked.path.rpartition("/")[2].partition("?")[0]
        waiting = self.script[f"{asked.method} {word}"] if data != PROBE else []
        planned = waiting.pop(0) if waiting else None
        if isinstance(planned, Wait):
            planned.until.wait(60)
            planned = None
        if planned is None or planned == Cut(done=True):
            done = self._answer(asked, data)
            return done if planned is None else Cut(done=True)
        if isinstance(planned, Answer):
            # What some servers do: they say in an error what they were asked.
            data = planned.data.replace(b"{path}", asked.path.encode())
            return replace(planned, data=data.replace(b"{token}", asked.headers.get("authorization", "").encode()))
        return planned

    def _answer(self, asked: Asked, data: bytes) -> Answer:
        if len(data) > MOST:
            return error(413, "RequestEntityTooLarge", "The request is too large.")
        if self._now > AT_ONCE:
            return error(
                429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", Retry_After="1"
            )
        if asked.path.startswith("/upload/"):
            return self._upload(asked, data)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return error(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        mailbox = re.match(r"/v1\.0/(me|users/[^/]+)(/.*)", asked.path)
        if mailbox is None:
            return error(404, "ResourceNotFound", "Resource could not be discovered.")
        if mailbox[1] == "me" and self.app_only:
            return error(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        return self._mailbox(asked, mailbox[2], data)

    def _mailbox(self, asked: Asked, path: str, data: bytes) -> Answer:
        needed = "Mail.Send" if path.endswith(("/sendMail", "/send")) else "Mail.ReadWrite"
        if needed not in self.permissions:
            return error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        method, parts = asked.method, path.strip("/").split("/")
        actions: dict[tuple[str, int, str], Callable[[], Answer]] = {
            ("POST", 1, "sendMail"): lambda: self._send_mail(asked, data),
            ("POST", 1, "messages"): lambda: self._draft(asked, data),
            ("POST", 3, "send"): lambda: self._send_draft(parts[1]),
            ("POST", 3, "attachments"): lambda: self._attach(parts[1], json.loads(data)),
            ("POST", 4, "createUploadSession"): lambda: self._open_session(parts[1], json.loads(data)),
            ("DELETE", 2, parts[-1]): lambda: self._delete(parts[1]),
        }
        action = actions.get((method, len(parts), parts[-1]))
        if len(parts) > 1 and parts[1] not in self.drafts:
            return error(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return error(405, "BadRequest", "No such method.") if action is None else action()

    def _mime(self, asked: Asked, data: bytes) -> bytes | None:
        try:
            return base64.b64decode(data, validate=True) if asked.headers.get("content-type") == "text/plain" else None
        except binascii.Error:
            return None

    def _send_mail(self, asked: Asked, data: bytes) -> Answer:
        mime = self._mime(asked, data)
        if not mime:
            return error(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
        self.sent.append(Sent(mime))
        return Answer(202)

    def _draft(self, asked: Asked, data: bytes) -> Answer:
        mime = self._mime(asked, data)
        if not mime:
            return error(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
        name = f"AAMk{len(self.drafts)}="
        self.drafts[name] = Sent(mime)
        return answer(201, id=name, isDraft=True, body={"contentType": "html", "content": "x" * 300_000})

    def _send_draft(self, name: str) -> Answer:
        self.sent.append(self.drafts.pop(name))
        return Answer(202)

    def _delete(self, name: str) -> Answer:
        del self.drafts[name]
        self.deleted.append(name)
        return Answer(204)

    def _attach(self, name: str, about: dict[str, Any]) -> Answer:
        data = base64.b64decode(about.pop("contentBytes"), validate=True)
        if len(data) >= SMALLEST_OF_SESSIONS or about["@odata.type"] != "#microsoft.graph.fileAttachment":
            return error(413, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")
        self._keep(self.drafts[name], about, data)
        return answer(201, id="AT1")

    def _keep(self, draft: Sent, about: dict[str, Any], data: bytes) -> None:
        draft.files[about["name"]] = data
        draft.about.append(about)

    def _open_session(self, name: str, said: dict[str, Any]) -> Answer:
        about = said["AttachmentItem"]
        if about["size"] < SMALLEST_OF_SESSIONS:
            return error(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", "Attachment size must be greater.")
        secret = secrets.token_hex(16)
        self.upload_secrets.append(secret)
        self._uploads[f"/upload/{len(self._uploads)}?authtoken={secret}"] = Upload(self.drafts[name], about)
        url = f"{self.upload_scheme}://{self.upload_host}:{self.port}{list(self._uploads)[-1]}"
        return answer(201, uploadUrl=url, expirationDateTime="2029-01-01T00:00:00Z", nextExpectedRanges=["0-"])

    def _upload(self, asked: Asked, data: bytes) -> Answer:
        upload = self._uploads.get(asked.path)
        if upload is None or "authorization" in asked.headers:
            return error(401, "InvalidAuthenticationToken", "An upload takes no token.")
        size, has = upload.about["size"], len(upload.data)
        if asked.method == "PUT":
            begin, end, whole = map(int, re.split("[-/]", asked.headers["content-range"].removeprefix("bytes ")))
            if (begin, end - begin + 1, whole) != (has, len(data), size) or len(data) >= 4_000_000:
                return error(416, "InvalidRange", "The range does not begin where it was expected to.")
            upload.data += data
            has += len(data)
        if has == size:
            self._keep(upload.draft, upload.about, bytes(upload.data))
            return Answer(
                201, headers={"Location": f"https://outlook.office.com/api/v2.0/Attachments('{len(self.sent)}')"}
            )
        return answer(200, ExpirationDateTime="2029-01-01T00:00:00Z", nextExpectedRanges=[str(has)])


def _handler(graph: GraphServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def setup(self) -> None:
            super().setup()
            self.connection.settimeout(graph.patience)

        def finish(self) -> None:
            super().finish()
            # Closed before it is told: whoever waits for that is to find the link gone.
            self.connection.close()
            graph.gave_up.set()

        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): text for name, text in self.headers.items()}
            done = graph.handle(Asked(self.command, self.path, headers, len(data), self.client_address[0]), data)
            if isinstance(done, Cut):
                self.close_connection = True
                return
            self.send_response(done.status)
            if done.data:
                self.send_header("Content-Type", done.kind)
            self.send_header("Content-Length", str(len(done.data)))
            for name, value in done.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(done.data)

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_PUT(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as it is called there
            pass

    return Handler
