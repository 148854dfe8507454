"""The plain SMTP connection: commands and replies apart, several in flight, and nothing taken for an answer to another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from mailconn_jupyter.errors import MailConnError
from mailconn_jupyter.session.smtp.connection import Command, Reply, SMTPConnection
from mailconn_jupyter.session.smtp.errors import LinkLost, ReplyTooLong
from mailconn_jupyter.transport.channel import Channel
from mailconn_jupyter.transport.deadline import Limit
from mailconn_jupyter.transport.dial import connect_any, look_up
from tests.servers.script import Expect, ExpectUntil, ScriptServer, Send
from tests.servers.steps import Step

GREETING = Send(b"220 mail.test\r\n")


@contextmanager
def linked(*steps: Step) -> Iterator[SMTPConnection]:
    with ScriptServer([GREETING, *steps]) as server:
        link = SMTPConnection()
        limit = Limit(5)
        link.attach(Channel(connect_any(look_up(server.host, server.port, limit), limit), timeout=5), server.host)
        link.read_greeting()
        try:
            yield link
        finally:
            link.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def came_in(link: SMTPConnection, count: int) -> None:
    """Wait until so many bytes have come in that were not read as a reply."""
    until(lambda: len(link.channel.buffered()) >= count)


def test_several_commands_are_in_flight_and_each_has_its_own_reply() -> None:
    # None is answered before all are there.
    script = [Expect(rb"rset"), Expect(rb"mail from:<>"), Expect(rb"rcpt to:<a@b>")]
    answers = b"250 2.0.0 reset\r\n250-2.1.0 sender\r\n250 2.1.0 ok\r\n550 5.1.1 nobody\r\n"
    with linked(*script, Send(answers), Expect(rb"noop"), Send(b"250 ok\r\n")) as link:
        link.write(Command(b"rset"), Command(b"mail from:<>"), Command(b"rcpt to:<a@b>"))
        replies = [link.read_reply() for _ in range(3)]
        assert [(reply.code, reply.enhanced) for reply in replies] == [(250, "2.0.0"), (250, "2.1.0"), (550, "5.1.1")]
        assert replies[1].lines == (b"2.1.0 sender", b"2.1.0 ok")
        assert link.command("noop").positive


def test_replies_that_are_awaited_keep_nobody_from_writing_more() -> None:
    with linked(Expect(rb"one"), Send(b"250-1\r\n250 1\r\n"), Expect(rb"two"), Send(b"250 2\r\n")) as link:
        link.write(Command(b"one"))
        came_in(link, 14)
        link.write(Command(b"two"))
        assert [link.read_reply().text for _ in range(2)] == [b"1\n1", b"2"]


@pytest.mark.parametrize("surplus", [b"250 ok\r\n", b"250-ok\r\n", b"2", b"\n", b"hello\r\n"])
@pytest.mark.parametrize("awaited", [0, 1, 2])
def test_whatever_comes_in_beyond_the_awaited_replies_ends_the_link(surplus: bytes, awaited: int) -> None:
    said = b"250-x\r\n250 ok\r\n" * awaited + surplus
    commands = [Command(b"noop")] * awaited
    with linked(*[Expect(rb"noop")] * awaited, Send(said)) as link:
        if commands:
            link.write(*commands)
        came_in(link, len(said))
        with pytest.raises(LinkLost, match="out of turn"):
            link.write(Command(b"rset"))
        assert link.sock is None


@pytest.mark.parametrize("awaited", [0, 1])
def test_a_421_that_nobody_asked_for_is_the_answer_to_the_next_command(awaited: int) -> None:
    said = b"250 ok\r\n" * awaited + b"421 4.4.2 idle\r\n"
    with linked(*[Expect(rb"noop")] * awaited, Send(said), Expect(rb"rset")) as link:
        link.write(*[Command(b"noop")] * awaited)
        came_in(link, len(said))
        link.write(Command(b"rset"))
        assert [link.read_reply().code for _ in range(awaited + 1)] == [250] * awaited + [421]


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([b"250-ok", b"550 no"], "not valid SMTP"),
        ([b"554-no", b"250 ok"], "not valid SMTP"),
        ([b"250-ok", b"250-ok", b"251 ok"], "not valid SMTP"),
        ([b"ok"], "not valid SMTP"),
        ([b"25 ok"], "not valid SMTP"),
        ([b"2500 ok"], "not valid SMTP"),
        ([b"250-ok"] * 1001, "more than 1000 lines"),
        ([b"250 " + b"x" * 9000], "more than 8192 bytes"),
    ],
)
def test_a_reply_that_is_none_ends_the_link(lines: Sequence[bytes], what: str) -> None:
    with linked(Expect(rb"noop"), Send(b"".join(line + b"\r\n" for line in lines))) as link:
        with pytest.raises(LinkLost, match=what) as caught:
            link.command("noop")
        assert isinstance(caught.value, ReplyTooLong) is what.startswith("more than")
        assert link.sock is None


def test_a_command_with_a_line_break_is_not_sent_and_its_secret_not_shown() -> None:
    with linked() as link:
        for line in (b"noop\r\nmail from:<>", b"noop\n", b"no\x00op"):
            with pytest.raises(MailConnError, match="prohibited newline characters") as caught:
                link.write(Command(line))
            assert isinstance(caught.value, ValueError)
        with pytest.raises(MailConnError) as caught:
            link.write(Command(b"AUTH PLAIN aGVsbG8=\r\n"))
        assert "aGVsbG8" not in str(caught.value)
        assert len(link.transcript) == 1


def test_what_is_sent_by_hand_is_awaited_as_what_it_is() -> None:
    content = b"Subject: x\r\n\r\nThree\r\n"
    said = [Send(b"250 a\r\n250 b\r\n354 go\r\n"), ExpectUntil(), Send(b"250 taken\r\n250 surplus\r\n")]
    with linked(Expect(rb"rset"), Expect(rb"noop"), Expect(rb"DATA"), *said) as link:
        link.write_raw(b"rset\r\nnoop\r\n")
        link.write_raw(b"DATA\r\n")
        assert [link.read_reply().code for _ in range(3)] == [250, 250, 354]
        link.write_raw(content)
        link.write_raw(b".\r\n")
        came_in(link, 24)
        assert link.read_reply().text == b"taken"
        with pytest.raises(LinkLost, match="out of turn"):
            link.command("noop")


def test_a_closed_link_says_so_and_how_to_have_another() -> None:
    with linked() as link:
        link.close()
        for action in (link.read_reply, lambda: link.write(Command(b"noop")), link.quit, link.request_tls):
            with pytest.raises(MailConnError):
                action()
        with pytest.raises(LinkLost, match="closed") as caught:
            link.command("noop")
        assert "connect" in caught.value.hint


def test_a_reply_knows_what_it_means() -> None:
    meanings = {250: "positive", 451: "temporary", 554: "permanent"}
    for code, meaning in meanings.items():
        reply = Reply.of(code, b"words")
        assert [name for name in meanings.values() if getattr(reply, name)] == [meaning]
    go_on = Reply.of(354, b"go")
    assert [name for name in meanings.values() if getattr(go_on, name)] == []
    reply = Reply(550, "5.1.1", (b"5.1.1 no such", b"5.1.1 user\x1b[2J"))
    assert reply == Reply.of(550, reply.text)
    assert reply.pair == (550, b"5.1.1 no such\n5.1.1 user\x1b[2J")
    assert str(reply) == "550 5.1.1 no such 5.1.1 user [2J"
    assert [Reply.of(250, text).enhanced for text in (b"2.1.5", b"2.1.5 ok", b"2.1.5x", b"x 2.1.5", b"9.1.5 x")] == [
        *["2.1.5"] * 2,
        *[""] * 3,
    ]
