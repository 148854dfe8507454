"""What is shown of a delivery to many: some names, all counts, and first of all what somebody has to see to."""

from __future__ import annotations

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery.report import DeliveryError, Outcome, SendReport

PEOPLE = [f"r{number}@example.test" for number in range(2000)]


def report_of(outcomes: list[Outcome], *, dry_run: bool = False) -> SendReport:
    message = mailconn.compose("ana@example.org", "Churn", "y")
    return SendReport(message, outcomes, size=1000, dry_run=dry_run)


def test_a_delivery_to_thousands_is_one_short_line_and_a_short_table() -> None:
    for report in (
        report_of([Outcome(name, "accepted") for name in PEOPLE]),
        report_of([Outcome(name, "not sent") for name in PEOPLE], dry_run=True),
    ):
        assert report.summary.endswith("to r0@example.test, r1@example.test, r2@example.test, r3@example.test, "
                                       "r4@example.test and 1995 more")  # fmt: skip
        assert "and 1980 more" in str(report)
        assert "and 1980 more" in report._repr_html_()
        assert len(str(report)) < 2000
        assert len(report._repr_html_()) < 6000
        assert len(report.outcomes) == 2000


def test_a_few_recipients_are_all_named() -> None:
    report = report_of([Outcome(name, "accepted") for name in PEOPLE[:5]])
    assert report.summary.endswith(", ".join(PEOPLE[:5]))
    assert "more" not in str(report_of([Outcome(name, "accepted") for name in PEOPLE[:20]])).partition("\n")[2]


def test_those_who_have_it_not_come_first_in_a_long_table() -> None:
    outcomes = [Outcome(name, "accepted") for name in PEOPLE]
    outcomes[1500] = Outcome(PEOPLE[1500], "refused", 550, "5.1.1 nobody")
    outcomes[1900] = Outcome(PEOPLE[1900], "unknown", words="closed")
    report = report_of(outcomes)
    header, first, second, *_ = str(report).splitlines()[1:]
    assert header.split() == ["recipient", "outcome", "server"]
    assert first.split()[:3] == [PEOPLE[1500], "REFUSED", "550"]
    assert second.split()[:2] == [PEOPLE[1900], "UNKNOWN"]
    assert report.outcomes == tuple(outcomes)


def test_the_rest_of_a_long_table_is_counted_by_outcome() -> None:
    outcomes = [Outcome(name, "refused", 550, "no") for name in PEOPLE[:100]]
    report = report_of([*outcomes, *(Outcome(name, "accepted") for name in PEOPLE[100:])])
    assert [line.split() for line in str(report).splitlines()[-2:]] == [
        ["and", "80", "more", "REFUSED"],
        ["and", "1900", "more", "accepted"],
    ]


def test_an_error_about_thousands_is_short_too() -> None:
    error = DeliveryError(report_of([Outcome(name, "unknown", words="The link broke.") for name in PEOPLE]))
    assert "r4@example.test: unknown The link broke. and 1995 more" in error.message
    assert error.hint.startswith("Ask r0@example.test, ")
    assert "and 1995 more before you send again" in error.hint
