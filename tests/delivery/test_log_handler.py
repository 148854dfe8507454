"""``LogHandler``: one mail of what a program logged, bounded, without secrets, and never for its own failure."""

from __future__ import annotations

import logging
import logging.config
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

import mailconn_jupyter as mailconn
from mailconn_jupyter import LogHandler, connections
from mailconn_jupyter.errors import MessageError, OptionError
from mailconn_jupyter.transport import deadline
from tests.servers.counting import CountingServer, Fickle
from tests.support.batches import to

ROOT = Path(__file__).parents[2]


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger of the test's own, whose handlers are closed at its end."""
    logger = logging.getLogger("tests.log_handler")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        if isinstance(handler, LogHandler):
            # Nothing is sent to a server that is gone.
            handler._records.clear()
            handler.close()


def added(log: logging.Logger, server: CountingServer, **options: Any) -> LogHandler:
    handler = LogHandler(to(server.port), "ana@example.test", **options)
    log.addHandler(handler)
    return handler


def mails(server: CountingServer) -> list[tuple[str, str]]:
    """Subject and text of each."""
    found = []
    for taken in server.taken:
        message = message_from_bytes(taken.content, policy=policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        found.append((str(message["Subject"]), str(body.get_content())))
    return found


def test_what_was_logged_is_one_mail_with_the_worst_first_in_its_subject(log: logging.Logger) -> None:
    with CountingServer() as server:
        handler = added(log, server)
        log.info("not of the level")
        log.warning("late by %d s", 5)
        log.error("no data")
        log.warning("late again")
        report = handler.send()
        assert report is not None
        assert report.ok
        ((subject, text),) = mails(server)
        assert subject.startswith("1 ERROR, 2 WARNING: ")
        places = [text.index(said) for said in ("1 ERROR, 2 WARNING:", "late by 5 s", "no data", "late again")]
        assert places == sorted(places)
        assert "not of the level" not in text
        assert handler.send() is None
        handler.flush()
        assert len(server.taken) == 1


def test_the_end_of_a_program_sends_it_and_one_that_logs_nothing_sends_nothing() -> None:
    code = (
        "import logging, sys\n"
        "import mailconn_jupyter as mailconn\n"
        "from tests.support.batches import to\n"
        "logging.getLogger().addHandler(mailconn.LogHandler(to(int(sys.argv[1])), 'ana@example.test', 'The nightly run'))\n"
        "logging.getLogger('job').error('no data') if sys.argv[2:] else None\n"
        "sys.exit(3)\n"
    )
    with CountingServer() as server:
        for more in ([], ["x"]):
            command = [sys.executable, "-c", code, str(server.port), *more]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
            assert (done.returncode, done.stderr) == (3, "")
        ((subject, text),) = mails(server)
        assert subject == "The nightly run"
        assert "ERROR job: no data" in text


def test_a_program_that_starts_no_more_threads_at_its_end_sends_it_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_more(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", no_more)
    assert deadline.in_thread(lambda: 42, deadline.Limit(5)) == 42
    with pytest.raises(ZeroDivisionError):
        deadline.in_thread(lambda: 1 // 0, deadline.Limit(5))


def test_of_many_records_the_latest_are_kept_and_of_a_long_one_its_ends(log: logging.Logger) -> None:
    with CountingServer() as server:
        handler = added(log, server, most=10)
        for number in range(5000):
            log.warning("record %d.", number)
        log.error("begin%send", "x" * 1_000_000)
        handler.flush()
        ((subject, text),) = mails(server)
        assert subject.startswith("1 ERROR, 5,000 WARNING: ")
        assert "1 ERROR, 5,000 WARNING, the latest 10 of them:" in text
        assert "record 4999." in text
        assert "record 4990." not in text
        assert "characters ...]" in text
        assert "begin" in text
        assert "end\r\n" in text
        assert len(text) < 20_000


def test_no_secret_is_in_the_mail(log: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILCONN_OPS_PASSWORD", "hunter2-environment")
    with CountingServer() as server:
        handler = added(log, server)
        log.error("login with %s failed", "hunter2-environment")
        log.error("GET https://ana:hunter2-url@example.org/?token=hunter2-query")
        log.error("connect(%r)", {"password": "hunter2-dict", "host": "example.org"})
        try:
            secret = "hunter2-frame"
            raise ValueError(f"password={secret}")
        except ValueError:
            log.exception("failed")
        handler.flush()
        content = server.taken[0].content
        assert b"hunter2" not in content.replace(b'hunter2-frame"\n', b"")
        assert b"example.org" in content


def test_its_own_failure_is_a_line_on_stderr_and_what_was_logged_waits_for_the_next_time(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    with Fickle(data=("550 5.7.1 not now",)) as server:
        handler = added(log, server)
        log.error("first")
        handler.flush()
        assert capsys.readouterr().err.startswith("mailconn: the log was not mailed: '1 ERROR: ")
        log.error("second")
        handler.flush()
        assert capsys.readouterr().err == ""
        ((subject, text),) = mails(server)
        assert subject.startswith("2 ERROR: ")
        assert text.index("first") < text.index("second")
        gone = LogHandler(to(1, timeout=1, deadline=1), "ana@example.test")
        gone.handle(log.makeRecord("x", logging.ERROR, "f", 1, "third", (), None))
        with pytest.raises(mailconn.OpenError):
            gone.send()
        gone._records.clear()


def test_what_is_logged_while_it_sends_is_not_collected_by_it_and_by_other_threads_is(log: logging.Logger) -> None:
    class Chatty(CountingServer):
        async def handle_DATA(self, *given: Any) -> str:  # noqa: N802  # aiosmtpd's
            # The server's thread stands for another one of the program.
            log.error("of another thread")
            return await super().handle_DATA(*given)

    class Telling(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return super().format(record)

    with Chatty() as server:
        handler = added(log, server)
        handler.setFormatter(Telling("%(message)s"))
        log.error("first")
        original = handler._sent

        def sent(*given: Any) -> Any:
            log.error("of the one who sends")
            return original(*given)

        handler._sent = sent  # type: ignore[method-assign,assignment]
        handler.send()
        handler.send()
        texts = [text for _, text in mails(server)]
        assert "first" in texts[0]
        assert "of another thread" in texts[1]
        assert "of the one who sends" not in "".join(texts)


def test_threads_lose_no_record(log: logging.Logger) -> None:
    with CountingServer() as server:
        handler = added(log, server, most=10_000)

        def write() -> None:
            for number in range(200):
                log.warning("number %d", number)

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        handler.flush()
        for thread in threads:
            thread.join()
        handler.flush()
        counts = [int(subject.partition(" ")[0].replace(",", "")) for subject, _ in mails(server)]
        assert sum(counts) == 1600


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_sends_its_own_records_alone(log: logging.Logger) -> None:
    with CountingServer() as server:
        handler = added(log, server)
        log.error("of the parent")
        child = os.fork()
        if not child:
            try:
                log.error("of the child")
                handler.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        handler.flush()
        of_child, of_parent = [text for _, text in mails(server)]
        assert "of the child" in of_child
        assert "of the parent" not in of_child
        assert "of the child" not in of_parent


def test_it_is_configured_by_a_dict(log: logging.Logger) -> None:
    with CountingServer() as server:
        connections.save(to(server.port))
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {
                    "mail": {
                        "class": "mailconn_jupyter.LogHandler",
                        "target": "ops",
                        "to": "ana@example.test",
                        "level": "ERROR",
                    }
                },
                "loggers": {log.name: {"handlers": ["mail"]}},
            }
        )
        log.warning("no")
        log.error("Ключ \ud800 \x1b[31mred\x1b[0m \0")
        for handler in log.handlers:
            handler.flush()
        ((_, text),) = mails(server)
        assert "Ключ" in text
        assert "red" in text


def test_what_is_wrong_is_told_where_it_is_made() -> None:
    with pytest.raises(MessageError):
        LogHandler("ops", "nobody")
    with pytest.raises(OptionError, match="most must be a whole number, 1 or more"):
        LogHandler("ops", "ana@example.org", most=0)
    with pytest.raises(OptionError, match="no keyword 'subjects'"):
        LogHandler("ops", "ana@example.org", subjects="x")  # type: ignore[call-arg]
