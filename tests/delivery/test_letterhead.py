"""The signature of a connection, and the frame around its messages: in text, HTML and every preview."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas
import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message import template
from mailconn_jupyter.message.letterhead import framed
from mailconn_jupyter.message.render import render
from mailconn_jupyter.message.render.part import Part
from tests.support.composed import html_of, text_of, travelled
from tests.support.results import png, table
from tests.support.shells import Shell, clean_up, shell

__all__ = ["clean_up", "shell"]

pytestmark = pytest.mark.usefixtures("own_config")


def ops(signature: str) -> None:
    made = mailconn.MailConnection(
        name="ops", server_host="smtp.example.org", from_address="me@example.org", signature=signature
    )
    mailconn.connections.save(made, replace=True)


def sent(*content: Any, **options: Any) -> Any:
    """The message that would go, as its reader gets it."""
    report = mailconn.send("ops", "ana@example.org", "Churn", *content, dry_run=True, **options)
    return travelled(report.message)


def test_a_line_of_markdown_stands_below_every_message() -> None:
    ops("**Ana**, Churn team")
    message = sent("Three things moved.", table())
    assert text_of(message).endswith("\n\n-- \n**Ana**, Churn team\n")
    assert "<strong>Ana</strong>, Churn team" in html_of(message)
    assert html_of(message).index("Three things moved.") < html_of(message).index("<table cellpadding")
    assert html_of(message).index("</table></div>") < html_of(message).index("Churn team")


def test_a_file_of_text_leaves_a_plain_text_plain(tmp_path: Path) -> None:
    (tmp_path / "me.txt").write_text("Ana\nChurn team\n", encoding="utf-8")
    ops(str(tmp_path / "me.txt"))
    message = sent("Three things moved.")
    assert not message.is_multipart()
    assert text_of(message) == "Three things moved.\n\n-- \nAna\nChurn team\n"


def test_lines_of_a_signature_stay_lines(tmp_path: Path) -> None:
    (tmp_path / "me.md").write_text("Ána\nChurn team\n", encoding="utf-8-sig")
    ops(str(tmp_path / "me.md"))
    message = sent("Hello.")
    assert "&#193;na<br" in html_of(message)
    assert text_of(message).endswith("-- \nÁna\nChurn team\n")


def test_a_signature_that_was_written_on_windows_has_its_lines_too(tmp_path: Path) -> None:
    (tmp_path / "me.md").write_bytes(b"Ana\r\nChurn team\r\n")
    ops(str(tmp_path / "me.md"))
    message = sent("Hello.")
    assert "Ana<br" in html_of(message)
    assert text_of(message).endswith("-- \nAna\nChurn team\n")


def test_a_page_with_a_place_for_the_content_is_a_frame_with_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(png())
    (tmp_path / "frame.html").write_text(
        '<h1><img src="logo.png" alt="Acme"> Reports</h1><div>{{ content }}</div><p>Acme Ltd</p>',
        encoding="utf-8",
    )
    ops(str(tmp_path / "frame.html"))
    message = sent("Hello {{ name }}.".replace("{{ name }}", "Bea"), table(), attachments={"a.txt": "x"})
    text, html = text_of(message), html_of(message)
    assert text.index("Reports") < text.index("Hello Bea.") < text.index("Nørth") < text.index("Acme Ltd")
    assert html.index("Reports") < html.index("Hello Bea.") < html.index("N&#248;rth") < html.index("Acme Ltd")
    (picture,) = [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html
    assert picture.get_content() == png()


def test_the_text_of_a_message_is_no_template_in_a_frame(tmp_path: Path) -> None:
    (tmp_path / "frame.md").write_text("# Acme\n\n{{ content }}\n\nAcme Ltd", encoding="utf-8")
    ops(str(tmp_path / "frame.md"))
    with pytest.warns(mailconn.MailConnWarning, match="as it stands"):
        message = sent("{{ name }} <b>x</b>")
    assert "{{ name }} <b>x</b>" in text_of(message)
    assert "{{ name }} &lt;b&gt;x&lt;/b&gt;" in html_of(message)


def test_without_a_signature_and_in_compose_alone_nothing_is_added() -> None:
    ops("")
    assert text_of(sent("Hello.")) == "Hello.\n"
    ops("**Ana**")
    message = mailconn.compose("ana@example.org", "s", "Hello.", sender="me@example.org")
    assert text_of(message) == "Hello.\n"


def test_a_signature_alone_is_no_message() -> None:
    ops("**Ana**")
    with pytest.raises(MessageError, match="no content and no attachment"):
        sent()
    assert "Ana" in text_of(sent(attachments={"a.txt": "x"}))
    assert text_of(sent("")) == "-- \n**Ana**\n"


def test_each_letter_of_a_merge_has_it_in_the_preview_and_when_it_goes(shell: Shell) -> None:
    ops("**Ana**, Churn team")
    shell.ip.user_ns["df"] = pandas.DataFrame({"email": ["ana@example.org", "bea@example.org"]})
    line = '%mailconn merge ops df --to email --subject s "Dear {{ email }}"'
    shown = shell.ok(f"{line} --preview").value
    assert "Dear ana@example.org\n\n-- \n**Ana**, Churn team" in shown.message.text
    campaign = mailconn.Campaign("c", "ops", to="email", subject="s", content="Dear {{ email }}", key="email")
    (first, _) = list(campaign.letters(shell.ip.user_ns["df"]))
    assert "Churn team" in text_of(first)


def test_a_batch_sends_it(shell: Shell) -> None:
    server = mailconn.sandbox.start()
    options = mailconn.connections["sandbox"].copy()
    options.signature = "**Ana**"
    rows = [{"email": f"{name}@example.org"} for name in ("ana", "bea")]
    letters = mailconn.merge(rows, to="email", subject="s", content="Dear {{ email }}")
    mailconn.connections.save(options, replace=True)
    mailconn.send_many("sandbox", letters, on_progress=False)
    assert [message.text.split("\n")[2:] for message in server.inbox] == [["-- ", "**Ana**", ""]] * 2
    shell.ok("%mailconn sandbox --stop")


def test_the_messages_of_a_batch_share_their_signature_and_their_template(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(value: Any, options: Any) -> Part:
        if isinstance(value, str):
            made.append(str(value))
        return render(value, options)

    monkeypatch.setattr(template, "render", counted)
    rows = [{"email": f"{name}@example.org"} for name in ("ana", "bea", "eve")]
    letters = mailconn.merge(rows, to="email", subject="s", content=mailconn.Template("# Dear {{ email }}"))
    for letter, row in zip(letters.signed("**Ana** <3"), rows, strict=True):
        assert text_of(travelled(letter)) == f"# Dear {row['email']}\n\n-- \n**Ana** <3\n"
    assert "**Ana** <3" in made
    assert len(made) == 2


def test_a_signature_that_is_changed_or_drawn_otherwise_is_heard_by_the_next_message(tmp_path: Path) -> None:
    (tmp_path / "me.md").write_text("**Ana**", encoding="utf-8")
    ops(str(tmp_path / "me.md"))
    assert "<strong>Ana</strong>" in html_of(sent("Hello."))
    (tmp_path / "me.md").write_text("**Bea**", encoding="utf-8")
    assert "<strong>Bea</strong>" in html_of(sent("Hello."))

    def drawn(value: Any, _options: Any) -> Part:
        return Part(str(value), f"<p>drawn: {value}</p>")

    mailconn.register(mailconn.Markdown, drawn)
    try:
        assert "drawn: **Bea**" in html_of(sent("Hello."))
    finally:
        mailconn.unregister(drawn)


def test_the_preview_of_a_line_and_of_a_cell_shows_it(shell: Shell) -> None:
    ops("**Ana**, Churn team")
    for cell in (
        "%mailconn send ops --to a@example.org --subject s 'Hello.' --preview",
        "%%mailconn send ops --to a@example.org --subject s --preview\nprint('Hello.')",
    ):
        ran = shell.ok(cell)
        assert "Churn team" in ran.html + ran.text + repr(ran.value)


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ("me.html", "not an absolute path"),
        ("../me.md", "not an absolute path"),
        ("{folder}/none.html", "is not there"),
        ("{folder}/large.txt", "larger than 200.0 kB"),
        ("{folder}/folder.txt", "is not there"),
        ("{folder}/outside.html", "not in the folder"),
        ("{folder}/no-picture.html", "not an image"),
        ("{folder}/missing.html", "is not there"),
        ("{folder}/bad.html", "variable 'company'"),
    ],
)
def test_a_signature_that_cannot_be_read_is_told_before_anything_is_sent(
    tmp_path: Path, signature: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sub"
    (folder / "folder.txt").mkdir(parents=True)
    (tmp_path / "me.html").write_text("<p>evil</p>")
    (tmp_path / "logo.png").write_bytes(png())
    (folder / "large.txt").write_bytes(b"x" * 300_000)
    (folder / "words.png").write_text("no picture")
    for name, source in {"outside": "../logo.png", "no-picture": "words.png", "missing": "none.png"}.items():
        (folder / f"{name}.html").write_text(f'<p><img src="{source}"> {{{{ content }}}}</p>')
    (folder / "bad.html").write_text("<p>{{ company }} {{ content }}</p>")
    monkeypatch.chdir(tmp_path)
    ops(signature.replace("{folder}", str(folder)))
    with pytest.raises(MessageError, match=said):
        sent("Hello.")


def test_what_is_framed_is_so_in_its_block_alone() -> None:
    with framed("Ana"):
        assert mailconn.compose("a@example.org", "s", "x", sender="b@example.org").is_multipart()
    assert not mailconn.compose("a@example.org", "s", "x", sender="b@example.org").is_multipart()
