"""Warnings that a page of the notebook shows in a place of its own."""

from __future__ import annotations

import threading
import warnings

from mailconn_jupyter.errors import MailConnWarning, heard_warnings, warn


def test_what_a_page_hears_is_not_warned_of_and_other_threads_warn_as_ever() -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with heard_warnings() as heard:
            warn("here")
            thread = threading.Thread(target=warn, args=("elsewhere",))
            thread.start()
            thread.join()
        warn("after")
    assert heard == ["here"]
    assert [(str(each.message), each.category) for each in warned] == [
        ("elsewhere", MailConnWarning),
        ("after", MailConnWarning),
    ]
