"""A message that Graph does not take whole: a draft, its attachments one by one, and then it is sent.

Source: https://learn.microsoft.com/graph/outlook-large-attachments and
https://learn.microsoft.com/graph/api/attachment-createuploadsession. A request has at most 4 MB. A file under 3 MB is
attached by one request, and refused by an upload session; from 3 MB to 150 MB it goes by such a session, in order, and
*without* the token: its address is authorisation enough, and so it is a secret, too. The documents do not say which
megabyte is meant, so what lies between the two is tried both ways. Exchange makes the message anew: what stays are the
bytes of the attachments.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from ...credentials.without_traceback import sealed
from ...errors import MailConnError, MessageError, warn
from ...formatting import how_large
from ...message.mime.wire_format import as_bytes
from ...secret import Secret
from ...transport.deadline import Limit
from ...transport.http_question import Content, Place, Reply
from ..opening.error_classes import DeliveryUnknown, LinkLost
from .attached_files import AnyMessage, AttachedFile, is_sealed, take_apart
from .client import GraphClient
from .errors import BUSY, Refused, refusal, words_of

__all__ = ["LARGEST_FILE", "WHOLE", "LargeMessage", "as_mime"]

_REQUEST: Final = 4_000_000
#: Bytes of the largest message that goes as it is: in Base64 they grow by a third.
WHOLE: Final = _REQUEST // 4 * 3
#: Bytes of the largest attachment.
LARGEST_FILE: Final = 150 * 10**6
_BY_SESSION: Final = 3_000_000
#: Under 4 MB, and a multiple of 320 KiB, as upload sessions of other services than Outlook's want it.
_CHUNK: Final = 12 * 320 * 1024
_FAREWELL: Final = 10.0  # seconds to delete a draft in
_TRIES: Final = 4  # of one chunk, without anything of it having arrived
_TOO_SMALL: Final = "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"


def as_mime(data: bytes) -> Content:
    """A whole message as Graph takes it (https://learn.microsoft.com/graph/outlook-send-mime-message)."""
    return Content("text/plain", lambda: base64.b64encode(data), (len(data) + 2) // 3 * 4)


def _as_json(fields: dict[str, Any]) -> Content:
    said = json.dumps(fields).encode()
    return Content("application/json", lambda: said, len(said))


@dataclass(frozen=True)
class LargeMessage:
    """What is left of a message without its attachments, and those; everything that Graph would refuse is refused here."""

    rest: bytes
    files: list[AttachedFile]

    @classmethod
    def of(cls, message: AnyMessage, size: int) -> LargeMessage:
        """Take it apart. Raises :class:`~mailconn_jupyter.errors.MessageError` for one that cannot be sent so."""
        too_large = f"The message is {how_large(size)}; Graph takes at most {how_large(WHOLE)} as it is"
        if is_sealed(message):
            raise MessageError(
                f"{too_large}, and a signed or encrypted message must stay as it is.",
                hint="Send less, compress the attachments, or send a link. Nothing was sent.",
            )
        for inline in (False, True):
            left, files = take_apart(message, inline=inline)
            rest = as_bytes(left, utf8=False, eight_bit=True, bcc=True)
            if len(rest) <= WHOLE:
                break
        else:
            raise MessageError(
                f"{too_large}, and its text alone is {how_large(len(rest))}.",
                hint="Attach the long part. Nothing was sent.",
            )
        if huge := next((file for file in files if len(file.data) > LARGEST_FILE), None):
            raise MessageError(
                f"The attachment {huge.name!r} is {how_large(len(huge.data))}; Graph takes at most {how_large(LARGEST_FILE)}.",
                hint="Send less, compress the attachments, or send a link. Nothing was sent.",
            )
        return cls(rest, files)

    def send(self, client: GraphClient, send: Callable[[str], object]) -> None:
        """Make the draft and attach the files, then ``send`` it, by its path; one that could not be sent is deleted."""
        draft = client.ask("POST", "/messages", as_mime(self.rest), done=201)
        name = draft.fields.text("id") if draft.fields is not None else ""
        if not name:
            raise LinkLost("Graph made a draft, but did not say which.", cause="bad-reply")
        path = f"/messages/{quote(name, safe='=')}"
        try:
            for file in self.files:
                _attach(client, path, file)
        except BaseException:
            _delete(client, path)
            raise
        try:
            send(f"{path}/send")
        except DeliveryUnknown:
            # It may be sent, or on its way: what is left of it is not ours to delete.
            raise
        except (Refused, LinkLost):
            _delete(client, path)
            raise


def _delete(client: GraphClient, path: str) -> None:
    try:
        # Also after a cancel, and without a long wait.
        client.ask("DELETE", path, done=204, limit=Limit(_FAREWELL))
    except MailConnError as error:
        warn(f"The message was not sent, and its draft is left in Drafts: {error.message}")


def _attach(client: GraphClient, path: str, file: AttachedFile) -> None:
    about: dict[str, Any] = {"name": file.name, "contentType": file.kind, "isInline": bool(file.content_id)}
    if file.content_id:
        about["contentId"] = file.content_id
    if len(file.data) >= _BY_SESSION:
        item = {"AttachmentItem": about | {"attachmentType": "file", "size": len(file.data)}}
        try:
            session = client.ask("POST", f"{path}/attachments/createUploadSession", _as_json(item), done=201)
        except Refused as error:
            if error.code != _TOO_SMALL:
                raise
        else:
            _upload(client, _address(session), file)
            return
    kind = {"@odata.type": "#microsoft.graph.fileAttachment"}
    whole = {"contentBytes": base64.b64encode(file.data).decode()}
    client.ask("POST", f"{path}/attachments", _as_json(kind | about | whole), done=201)


def _address(session: Reply) -> Place:
    """Where to upload to: whatever host Graph names, over TLS; the token does not go there."""
    url = session.fields.secret("uploadUrl") if session.fields is not None else None
    place = sealed(lambda: _parsed(url)) if url is not None else None
    if place is None or not place.secure:
        raise LinkLost("Graph gave no https address to upload to.", cause="bad-reply")
    return place


def _parsed(url: Secret) -> Place | None:
    with suppress(ValueError):
        return Place.parse(url.reveal())
    return None


def _upload(client: GraphClient, place: Place, file: AttachedFile) -> None:
    size, start, furthest, tries, unsure = len(file.data), 0, 0, 0, False
    while start < size:
        end = min(start + _CHUNK, size)
        content = Content(
            "application/octet-stream",
            lambda part=file.data[start:end]: part,  # type: ignore[misc]  # its own value
            end - start,
            f"bytes {start}-{end - 1}/{size}",
        )
        try:
            if unsure:
                # How much has arrived only Graph knows.
                reply = client.put(place, None, "upload: how far it is")
            else:
                reply = client.put(place, content, f"upload: {content.range}")
            following = _following(reply, size if unsure or end == size else None)
        except LinkLost as error:
            tries += 1
            if tries == _TRIES or error.cause in {"cancelled", "no-answer"}:
                raise
            unsure = True
            continue
        # It may go back, but not again and again.
        tries = 0 if following > furthest else tries + 1
        if tries == _TRIES or following > size:
            raise LinkLost(f"Graph accepts no more of {file.name!r}.", cause="bad-reply")
        start, furthest, unsure = following, max(furthest, following), False


def _following(reply: Reply, last: int | None) -> int:
    """Where the next chunk begins; ``last`` is the end of the file, where an answer without a place means that it is all."""
    if reply.status >= 500 and reply.status not in BUSY:
        raise LinkLost(f"Graph replied {reply.status} {words_of(reply)[1]}.", cause="bad-reply")
    if reply.status not in {200, 201, 202}:
        raise refusal(reply, "Graph refused a part of an attachment")
    fields = reply.fields
    # In the documents with a small first letter, on the wire with either.
    ranges = (fields.texts("nextExpectedRanges") or fields.texts("NextExpectedRanges")) if fields is not None else ()
    if ranges and (begin := re.match("[0-9]{1,18}(?=-|$)", ranges[0])) is not None:
        return int(begin[0])
    if ranges or last is None:
        raise LinkLost("Graph did not say how much of an attachment has arrived.", cause="bad-reply")
    return last
