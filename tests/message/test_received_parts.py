"""What a received message holds: its text, its HTML and its files, as people's programs write them."""

from __future__ import annotations

import base64
import hashlib

import pytest

from mailconn_jupyter import ParsedMessage
from mailconn_jupyter.message.incoming import entities as entities_module
from mailconn_jupyter.message.incoming.html_text import text_of_html
from tests.support.broken_mail import HEAD, TEXT, attached, mixed, part

# A message within a message

INNER = (
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org;\r\n\tb=" + b"x" * 90 + b"\r\n\t " + b"y" * 80 + b"=\r\n"
    b"Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?= and a line that is longer than any mail program of today would write it\r\n"
    b"X-Odd:   spaces  \r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n"
    b"--inner\r\n\r\nbare\nlines\r\nFrom here\r\n--inner--\r\n"
)


def forwarded(inner: bytes, *lines: bytes) -> bytes:
    head = HEAD.replace(b"\n", b"\r\n") + b"Content-Type: multipart/mixed; boundary=outer\r\n\r\n"
    kind = b"\r\n".join((b"Content-Type: message/rfc822", *lines))
    return head + b"--outer\r\n\r\nSee:\r\n--outer\r\n" + kind + b"\r\n\r\n" + inner + b"\r\n--outer--\r\n"


def test_a_message_within_a_message_has_the_bytes_that_came() -> None:
    message = ParsedMessage(forwarded(INNER))
    (attachment,) = message.attachments
    assert attachment.content_type == "message/rfc822"
    assert hashlib.sha256(attachment.data).hexdigest() == hashlib.sha256(INNER).hexdigest()
    assert message.problems == ()
    assert ParsedMessage(attachment.data).subject.startswith("grüße and a line")


def test_a_message_within_a_message_in_base64_is_decoded() -> None:
    for encoded, lines in (
        (base64.encodebytes(INNER).replace(b"\n", b"\r\n"), b"Content-Transfer-Encoding: base64"),
        (INNER.replace(b"=", b"=3D"), b"Content-Transfer-Encoding: quoted-printable"),
        # What is said to be encoded, and is not.
        (INNER, b"Content-Transfer-Encoding: base64"),
        (INNER, b"Content-Transfer-Encoding: 7bit"),
    ):
        message = ParsedMessage(forwarded(encoded, lines))
        assert message.attachments[0].data == INNER
        assert message.problems == ()


def test_what_stands_in_a_digest_is_a_message() -> None:
    raw = mixed(b"\nSubject: one\n\nOne.", b"\nSubject: two\n\nTwo.").replace(b"multipart/mixed", b"multipart/digest")
    found = [(each.content_type, each.data) for each in ParsedMessage(raw).attachments]
    assert found == [("message/rfc822", b"Subject: one\n\nOne."), ("message/rfc822", b"Subject: two\n\nTwo.")]


def test_a_report_keeps_the_bytes_of_each_of_its_parts() -> None:
    status = b"Reporting-MTA: dns; mail.example.org\n\nFinal-Recipient: rfc822; ana@example.org\nAction: failed\n"
    raw = mixed(TEXT, b"Content-Type: message/delivery-status\n\n" + status)
    assert ParsedMessage(raw).attachments[0].data == status


# Charsets


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_a_text_of_eight_bits_without_a_charset_is_utf_8_or_what_was_there_before(kind: str) -> None:
    head = HEAD + f"Content-Type: {kind}\nContent-Transfer-Encoding: 8bit\n\n".encode()
    message = ParsedMessage(head + "grüße".encode())
    assert (message.text or message.html) == "grüße"
    assert message.problems == ()
    message = ParsedMessage(head + b"it\x92s gr\xfc\xdfe")
    assert (message.html or message.text) == "it\u2019s grüße"
    assert message.problems == ("The text names no charset and is not UTF-8; it is read as Windows-1252.",)


def test_a_text_without_any_field_of_mime_is_read_the_same() -> None:
    assert ParsedMessage(HEAD + b"\ngr\xfc\xdfe").text == "grüße"


def test_latin_1_with_the_letters_of_windows_is_read_as_that() -> None:
    message = ParsedMessage(HEAD + b"Content-Type: text/plain; charset=iso-8859-1\n\nit\x92s \x80")
    assert message.text == "it\u2019s €"
    assert message.problems == ()


@pytest.mark.parametrize(
    "meta",
    [
        '<meta charset="windows-1251">',
        "<META CHARSET=windows-1251 />",
        "<meta http-equiv='Content-Type' content='text/html; charset=windows-1251'>",
        '<meta content="text/html;charset= windows-1251" http-equiv=content-type>',
    ],
)
def test_html_whose_charset_stands_in_itself_alone_is_read_in_it(meta: str) -> None:
    html = f"<html><head><title>x</title>{meta}</head><body>Привет</body></html>"
    message = ParsedMessage(HEAD + b"Content-Type: text/html\n\n" + html.encode("cp1251"))
    assert message.html == html
    assert message.problems == ()
    # What the header of the part says is the charset; and a text that could hold no such tag is not in UTF-16.
    named = HEAD + b"Content-Type: text/html; charset=koi8-r\n\n" + html.encode("koi8-r")
    assert ParsedMessage(named).html == html
    wide = html.replace("windows-1251", "utf-16")
    assert ParsedMessage(HEAD + b"Content-Type: text/html\n\n" + wide.encode()).html == wide
    comment = "<!-- <meta charset=utf-7> --><p>+2AA-</p>"
    assert ParsedMessage(HEAD + b"Content-Type: text/html\n\n" + comment.encode()).html == comment


# Which text is the body

FILE = attached("filename=a.bin")
HTML = part("text/html", "<p>Rich</p>")


def test_the_texts_of_a_message_are_joined_in_their_order() -> None:
    raw = mixed(TEXT, FILE, part("text/plain", "Between."), FILE, part("text/plain", "List footer.\n"))
    message = ParsedMessage(raw)
    assert message.text == "Hello.\nBetween.\nList footer.\n"
    assert [each.name for each in message.attachments] == ["a.bin", "a.bin"]
    message = ParsedMessage(mixed(HTML, FILE, part("text/html", "<p>More</p>")))
    assert message.html == "<p>Rich</p>\n<p>More</p>"
    assert len(message.attachments) == 1


def alternative(*parts: bytes) -> bytes:
    return mixed(*parts, boundary="a").removeprefix(HEAD).replace(b"multipart/mixed", b"multipart/alternative")


def test_of_alternatives_each_kind_is_taken_once() -> None:
    raw = mixed(alternative(TEXT, HTML, part("text/plain", "Again.")), FILE, part("text/plain", "Footer."))
    message = ParsedMessage(raw)
    assert (message.text, message.html) == ("Hello.\nFooter.", "<p>Rich</p>")
    assert [each.data for each in message.attachments] == [b"Again.", b"data"]


@pytest.mark.parametrize(
    "lines",
    [
        ('text/plain; name="body.txt"',),
        ("text/plain", "Content-Disposition: inline; filename=body.txt"),
        ("text/plain", "Content-Disposition: inline"),
    ],
)
def test_a_text_with_a_name_is_the_body_unless_it_is_attached(lines: tuple[str, ...]) -> None:
    kind, *rest = lines
    body = part(kind, "The body.", *rest)
    for raw in (HEAD + body, mixed(body), mixed(body, FILE)):
        assert ParsedMessage(raw).text == "The body."
    assert ParsedMessage(mixed(alternative(body, HTML))).text == "The body."


def test_a_text_that_is_attached_or_named_beside_a_body_is_a_file() -> None:
    for file in (
        part("text/plain", "1", "Content-Disposition: attachment"),
        part("text/plain", "1", "Content-Disposition: attachment; filename=log.txt"),
        part("text/plain; name=log.txt", "1"),
        part("text/plain", "1", "Content-Disposition: inline; filename=log.txt"),
        part("text/html; name=log.html", "1"),
    ):
        message = ParsedMessage(mixed(TEXT, file))
        assert (message.text, message.html) == ("Hello.", "")
        assert [each.data for each in message.attachments] == [b"1"]
    (only,) = ParsedMessage(mixed(part("text/plain", "1", "Content-Disposition: attachment"))).attachments
    assert only.data == b"1"


# Headers that are not as they should be


@pytest.mark.parametrize(
    ("top", "said"),
    [
        (b"X-Mailer : foo\n", ()),
        (b"X-Mailer\t: foo\n", ()),
        (b"\xef\xbb\xbf", ()),
        (b">From ana@example.org Sun Nov 22 08:30:00 2026\n", ()),
        (b"From ana@example.org Sun Nov 22 08:30:00 2026\n", ()),
        (b"a line without a colon\n", ("A line among the headers is malformed, and is skipped.",)),
        (b"X-A: b\na line without a colon\n", ("A line among the headers is malformed, and is skipped.",)),
        (b" continued\n", ("Its first line continues a header that is missing.",)),
    ],
)
def test_a_header_with_a_line_that_is_none_is_read_all_the_same(top: bytes, said: tuple[str, ...]) -> None:
    message = ParsedMessage(top + mixed(TEXT, FILE))
    assert message.text == "Hello."
    assert message.sender == "Ana <ana@example.org>"
    assert [each.name for each in message.attachments] == ["a.bin"]
    assert message.problems == said


def test_a_part_with_a_line_that_is_no_header_is_read_all_the_same() -> None:
    odd = b"Content-Type: application/pdf\nno header\nContent-Disposition: attachment; filename=a.pdf\n\nPDF"
    assert ParsedMessage(mixed(TEXT, odd)).attachments[0].name == "a.pdf"
    # A text without the empty line before it is no header, even where a line of it could be one.
    message = ParsedMessage(mixed(b"Hello Ana,\nnote: it is late\n\nBob"))
    assert message.text == "Hello Ana,\nnote: it is late\n\nBob"


def test_a_multipart_within_another_may_have_its_boundary() -> None:
    inner = b'Content-Type: multipart/alternative; boundary="b"\n\n--b\n' + TEXT + b"\n--b\n" + HTML + b"\n--b--"
    message = ParsedMessage(mixed(inner, FILE))
    assert (message.text, message.html, len(message.attachments)) == ("Hello.", "<p>Rich</p>", 1)


def test_of_too_many_parts_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entities_module, "MOST_PARTS", 3)
    message = ParsedMessage(mixed(TEXT, FILE, FILE, FILE))
    assert message.problems == (
        "It has over 3 parts; the last one holds the rest.",
        "The end of its last part is missing: it may be cut off.",
    )
    assert b"filename=a.bin\n\ndata\n--b--" in message.attachments[-1].data


# Names


def named(*lines: bytes, top: bytes = b"", kind: bytes = b"application/pdf", body: bytes = b"x") -> ParsedMessage:
    file = b"\n".join((b"Content-Type: " + kind, *lines, b"", body))
    return ParsedMessage(mixed(b"Content-Type: text/plain" + top + b"\n\nHello.", file))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("filename=my report.pdf", "my report.pdf"),
        ("filename='report.pdf'", "report.pdf"),
        ("filename==?UTF-8?Q?gr=C3=BC=C3=9Fe.pdf?=", "grüße.pdf"),
        ('filename="=?UTF-8?B?Z3LDvMOf?=\n =?UTF-8?B?ZS5wZGY=?="', "grüße.pdf"),
        ("filename=[2024] x.pdf", "[2024] x.pdf"),
        ("filename=a,b.pdf", "a,b.pdf"),
        ("filename=Invoice(s) (final).pdf", "Invoice(s) (final).pdf"),
        ("filename*=utf-8''Invoice(s).pdf", "Invoice(s).pdf"),
        ("filename=utf-8''Invoice(s)%20%C3%BC.pdf", "Invoice(s) ü.pdf"),
        ("filename=\"it's 'x'.pdf\"", "it's 'x'.pdf"),
        (r'filename="C:\temp\report.pdf"', "report.pdf"),
        (r'filename="C:\\temp\\report.pdf"', "report.pdf"),
        ('filename="my \\"best\\" report.pdf"', 'my "best" report.pdf'),
        ('filename="my "best" report.pdf"', 'my "best" report.pdf'),
        ('filename="report.pdf; size=10', "report.pdf"),
        ('filename*0="=?UTF-8?B?Z3LD"; filename*1="vMOfZS5wZGY=?="', "grüße.pdf"),
        ("filename*0*=utf-8''gr%C3; filename*1*=%BC%C3%9Fe; filename*2=.pdf", "grüße.pdf"),
        ("filename*1=b.pdf; filename*0=a", "ab.pdf"),
        ("filename=fallback.pdf; filename*=utf-8''gr%C3%BC%C3%9Fe.pdf", "grüße.pdf"),
        ("filename=fallback.pdf; filename*=utf-8''%FF.pdf", "fallback.pdf"),
        ("filename=a.pdf; filename=b.pdf", "a.pdf"),
    ],
)
def test_an_attachment_has_its_whole_name(written: str, name: str) -> None:
    for message in (
        named(f"Content-Disposition: attachment; {written}".encode()),
        named(kind=b"application/pdf; " + written.replace("filename", "name").encode()),
    ):
        assert [each.name for each in message.attachments] == [name]
        assert message.problems == ()


@pytest.mark.parametrize("charset", ["gbk", "cp1251", "iso-8859-1", "big5", "iso-2022-jp", "utf-8"])
def test_a_name_in_raw_bytes_is_in_the_charset_of_the_text(charset: str) -> None:
    name = {"cp1251": "отчёт.pdf", "iso-8859-1": "größe.pdf"}.get(charset, "日本.pdf")
    lines = b'Content-Disposition: attachment; filename="' + name.encode(charset) + b'"'
    message = named(lines, top=f"; charset={charset}".encode())
    assert [each.name for each in message.attachments] == [name]
    assert message.problems == ()


def test_a_name_whose_charset_nothing_tells_is_told() -> None:
    message = named(b"Content-Disposition: attachment; filename=gr\xfc\xdfe.pdf")
    assert message.attachments[0].name == "grüße.pdf"
    assert message.problems == ("The name of an attachment is malformed, and read as far as it can be.",)


@pytest.mark.parametrize(
    ("kind", "body", "name"),
    [
        (b"image/png", b"x", "image-1.png"),
        (b"application/x-nobody-knows", b"x", "application-1"),
        (b"text/calendar", b"x", "text-1.ics"),
        (b"message/rfc822", b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= a/b\n\nx", "Grüße a_b.eml"),
        (b"message/rfc822", b"To: bob\n\nx", "message-1.eml"),
    ],
)
def test_what_has_no_name_gets_one_of_its_type_or_its_subject(kind: bytes, body: bytes, name: str) -> None:
    for lines in (b"Content-Disposition: attachment", b"Content-Disposition: attachment; filename=..", b"X: y"):
        assert [each.name for each in named(lines, kind=kind, body=body).attachments] == [name]


# Pictures in the text


@pytest.mark.parametrize(
    ("written", "content_id", "inline"),
    [
        ("cid:p1@here", "<p1@here>", True),
        ("CID:p1@here", "<p1@here>", True),
        ("cid:P1@HERE", "<p1@here>", True),
        ("cid:p1%40here", "<p1@here>", True),
        ("cid:a&amp;b", "<a&b>", True),
        ("cid:p10", "<p1>", False),
        ("cid:p1", "<p10>", False),
        ("cid:", "<>", False),
        (f"cid:&#{'9' * 5000};", "<p1>", False),
    ],
)
def test_a_picture_is_in_the_text_where_its_whole_name_is(written: str, content_id: str, inline: bool) -> None:
    html = part("text/html", f'<img src="{written}">')
    message = ParsedMessage(mixed(html, part("image/png", "x", f"Content-ID: {content_id}")))
    assert [each.inline for each in message.attachments] == [inline]


# Text out of what is written otherwise


def test_html_alone_has_its_text() -> None:
    html = (
        "<html><head><title>News</title><style>p{}</style><body><!-- no --><p>Dear Ana,<p>three &lt; things moved:"
        "<table><tr><th>what<th>how much</tr><tr><td>a<td>1</tr></table>"
        '<ul><li>one<li><a href="https://x.example/?a=1&amp;b">two</a></ul><img src="cid:p" alt="A > B">'
        "<script>if (a < b) {}</script><pre>a  b\n c</pre></body></html>"
    )
    message = ParsedMessage(HEAD + b"Content-Type: text/html\n\n" + html.encode())
    assert message.html == html
    assert message.text == (
        "Dear Ana,\n\nthree < things moved:\nwhat  how much\na  1\n\n- one\n- two (https://x.example/?a=1&b)\n\n"
        "[A > B]\n\na  b\n c"
    )
    assert ParsedMessage(mixed(TEXT, HTML)).text == "Hello."


UNITS = [
    "<!--",
    "<a ",
    "<![CDATA[",
    "</",
    "&#",
    "&#9",
    '<a b="',
    "<script>",
    "<!",
    "<?",
    "<p>",
    "<td>",
    "<",
    "<a>",
    "<hr>",
]
UNITS += [
    "<td colspan=1000 rowspan=1000>",
    "<tr><td colspan=999 rowspan=999>x",
    "<table>",
    "<table><tr><td>",
    "<a href=x>",
    "<title x=",
    "<a \"'",
    "<pre>",
    " ",
]


@pytest.mark.parametrize("unit", UNITS)
def test_the_text_of_hostile_html_ends_to_be_made_and_is_not_much_longer(unit: str) -> None:
    assert len(text_of_html(unit * (300_000 // len(unit)))) < 2_000_000


def test_flowed_text_is_put_together() -> None:
    body = "Dear Ana, \nthree things \nmoved:\n\n> a quote \n> of two lines\n>> of hers\n-- \nBob \nhere\n"
    message = ParsedMessage(HEAD + part("text/plain; format=flowed", body))
    assert message.text == ("Dear Ana, three things moved:\n\n> a quote of two lines\n>> of hers\n-- \nBob here\n")
    message = ParsedMessage(HEAD + part("text/plain; charset=utf-8; Format=Flowed; DelSp=yes", "日本 \n語\n  kept\n"))
    assert message.text == "日本語\n kept\n"
    assert ParsedMessage(HEAD + part("text/plain", "as \nit is\n")).text == "as \nit is\n"
