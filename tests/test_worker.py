"""One piece of work at a time in a thread: called off, waited for, and over when it says so."""

from __future__ import annotations

import threading

import pytest

from mailconn_jupyter.worker import Worker


def test_one_piece_of_work_runs_at_a_time_and_can_be_called_off_and_waited_for() -> None:
    worker = Worker("test-work")
    assert not worker.running
    assert worker.wait(0)
    names: list[str] = []

    def work(cancel: threading.Event) -> None:
        names.append(threading.current_thread().name)
        cancel.wait()

    assert worker.start(work)
    assert worker.running
    assert not worker.start(work)
    assert not worker.wait(0.01)
    worker.stop()
    assert worker.wait()
    assert not worker.running
    assert names == ["test-work"]
    # The next is not called off with the last.
    assert worker.start(lambda cancel: names.append(str(cancel.is_set())))
    assert worker.wait()
    assert names == ["test-work", "False"]


def test_nothing_new_begins_before_the_last_word_of_the_work_is_said() -> None:
    worker = Worker("test-work")
    in_last_word, go_on = threading.Event(), threading.Event()
    running: list[bool] = []

    def work(_: threading.Event) -> None:
        with worker.ending():
            running.append(worker.running)
            in_last_word.set()
            go_on.wait()

    worker.start(work)
    in_last_word.wait()
    began = threading.Thread(target=worker.start, args=(lambda _: running.append(worker.running),))
    began.start()
    assert running == [False]
    go_on.set()
    began.join()
    assert worker.wait()
    assert running == [False, True]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_fails_is_over() -> None:
    worker = Worker("test-work")

    def work(_: threading.Event) -> None:
        raise ValueError("its own")

    worker.start(work)
    assert worker.wait()
    assert not worker.running
