"""What is said of a batch before it begins."""

from __future__ import annotations

import pytest

from mailconn_jupyter.delivery.many.plan import Plan
from mailconn_jupyter.delivery.many.rate import Rate
from mailconn_jupyter.discovery.sending_limits import SENDING_LIMITS

MICROSOFT = SENDING_LIMITS["smtp.office365.com"]


@pytest.mark.parametrize(
    ("rate", "whose"), [("30/min", ", the limit of Microsoft 365"), ("30/hour", ""), ("30/s", ""), ("10/min", "")]
)
def test_a_rate_is_the_providers_limit_only_as_a_whole(rate: str, whose: str) -> None:
    assert f" {Rate.of(rate)}{whose}: about " in str(Plan(100, Rate.of(rate), MICROSOFT))


def test_one_message_is_one() -> None:
    assert str(Plan(1, None, MICROSOFT)) == "1 message, as fast as the server takes them."
