"""Mail merge: a message for each row, and what is wrong with the rows told before anything is sent."""

from __future__ import annotations

import copy
import pickle
import sqlite3
import sys
from collections import namedtuple
from collections.abc import Iterator, Sized
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pyarrow
import pytest
from hypothesis import given, settings, strategies as st

import mailconn_jupyter as mailconn
from mailconn_jupyter.delivery.merging.table_rows import rows_of
from mailconn_jupyter.errors import MessageError
from mailconn_jupyter.message.render import HTML, Markdown
from mailconn_jupyter.message.template import Template
from mailconn_jupyter.session.smtp.envelope import envelope_of
from tests.support.composed import attached, harmless, html_of, tags_of, text_of, travelled, words_of

PEOPLE: list[dict[str, Any]] = [
    {"email": "ana@example.org", "name": "Ana", "id": 1},
    {"email": "bea@example.org", "name": "Bea", "id": 2},
    {"email": "eve@example.org", "name": "Ева Иванова", "id": 3},
]
LETTER: dict[str, Any] = {"to": "email", "subject": "Hello {{ name }}", "content": "Dear {{ name }}, you are {{ id }}."}


def merged(rows: Any, **more: Any) -> list[EmailMessage]:
    """The messages after the wire."""
    return [travelled(message) for message in mailconn.merge(rows, sender="bob@example.org", **(LETTER | more))]


def recipients(message: EmailMessage) -> list[str]:
    return envelope_of(message, "", None)[1]


def faults(rows: Any, **more: Any) -> list[str]:
    with pytest.raises(mailconn.MergeError) as caught:
        mailconn.merge(rows, **(LETTER | more))
    return list(map(str, caught.value.faults))


@dataclass
class Person:
    email: str
    name: str
    id: int


Named = namedtuple("Named", "email name id")  # noqa: PYI024  # as queries give them


class Protocol:
    """A table of a library of its own: nothing but the dataframe protocol."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __dataframe__(self, *given: Any, **named: Any) -> Any:  # the protocol's name
        return self._table.__dataframe__(*given, **named)


class Stream:
    """A table that gives an Arrow stream."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:  # the protocol's name
        return self._table.__arrow_c_stream__(requested_schema)


def _rows_of_sqlite() -> list[sqlite3.Row]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute("create table people (email, name, id)")
    connection.executemany("insert into people values (:email, :name, :id)", PEOPLE)
    found = connection.execute("select * from people").fetchall()
    connection.close()
    return found


SOURCES: dict[str, Any] = {
    "dicts": PEOPLE,
    "a tuple of dicts": tuple(PEOPLE),
    "dict views": dict(enumerate(PEOPLE)).values(),
    "namedtuples": [Named(**person) for person in PEOPLE],
    "dataclasses": [Person(**person) for person in PEOPLE],
    "sqlite3": _rows_of_sqlite(),
    "series": [row for _, row in pandas.DataFrame(PEOPLE).iterrows()],
    "pandas": pandas.DataFrame(PEOPLE),
    "an index with a name": pandas.DataFrame(PEOPLE).set_index("email"),
    "an index without a name": pandas.DataFrame(PEOPLE, index=[7, 7, 9]),
    "polars": polars.DataFrame(PEOPLE),
    "pyarrow": pyarrow.Table.from_pylist(PEOPLE),
    "the dataframe protocol": Protocol(pyarrow.Table.from_pylist(PEOPLE)),
    "an Arrow stream": Stream(pyarrow.Table.from_pylist(PEOPLE)),
}


@pytest.mark.parametrize("source", SOURCES)
def test_rows_of_any_source_give_the_same_messages_again_and_again(source: str) -> None:
    merge = mailconn.merge(SOURCES[source], key="id", **LETTER)
    assert isinstance(merge, Sized)
    assert len(merge) == 3
    assert merge
    for _ in range(2):
        messages = list(merge)
        assert [message.key for message in messages] == ["1", "2", "3"]
        assert [recipients(message) for message in messages] == [[person["email"]] for person in PEOPLE]
        assert [str(message["Subject"]) for message in messages] == [f"Hello {person['name']}" for person in PEOPLE]
        assert [text_of(message) for message in messages] == [
            f"Dear {person['name']}, you are {person['id']}.\n" for person in PEOPLE
        ]
    assert merge[2].key == merge[-1].key == "3"
    assert [message.key for message in merge[:2]] == ["1", "2"]
    assert [message.key for message in merge[::-1]] == ["3", "2", "1"]
    for number in (3, -4):
        with pytest.raises(IndexError):
            merge[number]


def test_the_rows_of_a_query_of_sqlalchemy_are_rows() -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("create table people (email, name, id)"))
        connection.execute(sqlalchemy.text("insert into people values (:email, :name, :id)"), PEOPLE)
        query = sqlalchemy.text("select * from people")
        assert [text_of(each) for each in merged(connection.execute(query))] == [
            text_of(each) for each in merged(PEOPLE)
        ]
        assert len(mailconn.merge(connection.execute(query).all(), **LETTER)) == 3
        assert [text_of(each) for each in merged(connection.execute(query).mappings())] == [
            text_of(each) for each in merged(PEOPLE)
        ]
    engine.dispose()


def test_a_cursor_of_tuples_says_itself_what_its_columns_are() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table people (email, name, id)")
    connection.executemany("insert into people values (:email, :name, :id)", PEOPLE)
    query = connection.execute("select * from people")
    assert [text_of(each) for each in merged(query)] == [text_of(each) for each in merged(PEOPLE)]
    connection.close()


def test_rows_that_come_once_are_looked_at_as_they_come() -> None:
    taken: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for number, person in enumerate([*PEOPLE, {"email": None, "name": "x", "id": 4}, PEOPLE[0]]):
            taken.append(number)
            yield person

    merge = mailconn.merge(rows(), key="id", **LETTER)
    assert taken == [0]  # only to know its columns
    assert merge
    assert not isinstance(merge, Sized)
    with pytest.raises(TypeError):
        len(merge)
    with pytest.raises(TypeError, match="only once"):
        merge[0]
    messages = iter(merge)
    assert [next(messages).key for _ in range(3)] == ["1", "2", "3"]
    assert taken == [0, 1, 2]
    with pytest.raises(mailconn.MergeError) as caught:
        next(messages)
    assert caught.value.message == (
        "The merge stopped at row 3 (key '4'): There is no address. The rows before it have already been handed out."
    )
    assert "A merge of rows that can be read only once" in repr(merge)


def test_a_row_that_comes_and_cannot_be_printed_ends_the_merge_in_a_sentence() -> None:
    with pytest.raises(
        mailconn.MergeError, match=r"'name' has no value\. The rows before it have already been handed out\.$"
    ):
        list(mailconn.merge(iter([*PEOPLE, {"email": "i@example.org", "name": None, "id": 4}]), **LETTER))


def test_rows_that_come_once_and_come_twice_are_told() -> None:
    with pytest.raises(mailconn.MergeError, match=r"row 3 \(key '1'\): Row 0 has the same key"):
        list(mailconn.merge(iter([*PEOPLE, PEOPLE[0]]), key="id", **LETTER))


@pytest.mark.parametrize(
    "rows", [[], (), iter(()), pandas.DataFrame({"email": [], "name": [], "id": []}), polars.DataFrame()]
)
def test_no_rows_are_no_messages(rows: Any) -> None:
    merge = mailconn.merge(rows, key="id", **LETTER)
    assert list(merge) == []
    if not isinstance(rows, Iterator):
        assert len(merge) == 0
        assert not merge


def test_nothing_is_composed_before_it_is_asked_for() -> None:
    drawn: list[int] = []

    def content(row: Any) -> str:
        drawn.append(row.id)
        return f"{row['name']}"

    merge = mailconn.merge(PEOPLE, **(LETTER | {"content": content}))
    assert drawn == []
    next(iter(merge))
    assert drawn == [1]


def test_what_is_wrong_is_told_with_every_row_before_anything_is_composed() -> None:
    rows = [
        *PEOPLE,
        {"email": float("nan"), "name": "x", "id": 4},
        {"email": None, "name": "x", "id": 5},
        {"email": "  ", "name": "x", "id": 6},
        {"email": "not an address", "name": "x", "id": 7},
        {"email": 47, "name": "x", "id": 8},
        {"email": "i@example.org", "name": float("nan"), "id": 9},
        {"email": "ANA@example.org", "name": "x", "id": 10},
        {"email": "k@example.org", "name": "x", "id": 1},
        {"email": "l@example.org", "name": "x", "id": None},
        {"email": "m@example.org", "name": "a\r\nBcc: eve@evil.example", "id": 13},
        {"email": "n@example.org", "id": 14},
    ]
    with pytest.raises(mailconn.MergeError) as caught:
        mailconn.merge(rows, key="id", **LETTER)
    head, *lines = caught.value.message.split("\n")
    assert head == "11 of 14 rows cannot be sent, so nothing was."
    assert lines == [
        "row 3 (key '4'), row 4 (key '5'), row 5 (key '6'): There is no address.",
        "row 6 (key '7'): The recipient 'not an address' is not a valid mail address.",
        "row 7 (key '8'): The recipient 47 is not an address.",
        "row 8 (key '9'): The template refers to something that does not exist: 'name' has no value",
        "row 9 (key '10'): ANA@example.org is also the recipient of row 0.",
        "row 10 (key '1'): Row 0 has the same key.",
        "row 11: The key is empty.",
        "row 11: The template refers to something that does not exist: 'id' has no value",
        "row 12 (key '13'): The subject 'Hello a Bcc: eve@evil.example' contains a line break or another control character.",
        "row 13 (key '14'): The template needs a variable 'name', which is not given.",
    ]
    assert [fault.row for fault in caught.value.faults][:3] == [3, 4, 5]


def test_of_thousands_of_faults_the_first_kinds_are_told_and_the_rest_counted() -> None:
    rows = [{"email": f"bad {number}", "name": "x", "id": number} for number in range(2000)]
    with pytest.raises(mailconn.MergeError) as caught:
        mailconn.merge(rows, **LETTER)
    lines = caught.value.message.split("\n")
    assert lines[0] == "2000 of 2000 rows cannot be sent, so nothing was."
    assert len(lines) == 12
    assert lines[-1] == "and 1990 more"
    assert len(caught.value.faults) == 2000
    (line,) = str(_fault_of_all()).split("\n")[1:2]
    assert (
        line
        == "row 0, row 1, row 2 and 1997 more: The template needs a variable 'nmae', which is not given. Did you mean 'name'?"
    )


def _fault_of_all() -> mailconn.MergeError:
    rows = [{"email": f"a{number}@example.org", "name": "x"} for number in range(2000)]
    with pytest.raises(mailconn.MergeError) as caught:
        mailconn.merge(rows, to="email", subject="News", content="Dear {{ nmae }}")
    return caught.value


def test_one_recipient_of_several_rows_is_meant_where_it_is_said() -> None:
    rows = [PEOPLE[0], PEOPLE[0]]
    assert faults(rows) == ["row 1: ana@example.org is also the recipient of row 0."]
    assert len(merged(rows, doubles=True)) == 2
    # Who writes an address means it for all.
    assert len(merged(rows, to="team@example.org")) == 2


@pytest.mark.parametrize(
    ("what", "given", "words"),
    [
        ("to", "emial", "to='emial' is not a column, an address or a template. Did you mean 'email'?"),
        ("key", "idd", "key='idd' is neither a column nor a template. Did you mean 'id'?"),
        ("subject", "name", "subject='name' is a column's name, and would be the text of every message."),
        ("content", "name", "content='name' is a column's name, and would be the text of every message."),
        ("to", 47, "to=47 is not an address."),
    ],
)
def test_a_word_that_is_no_column_is_told_at_once(what: str, given: Any, words: str) -> None:
    for rows in (PEOPLE, pandas.DataFrame(PEOPLE), iter(PEOPLE), pandas.DataFrame(PEOPLE).head(0)):
        with pytest.raises(MessageError) as caught:
            mailconn.merge(rows, **(LETTER | {what: given}))
        assert caught.value.message == words


@pytest.mark.parametrize("rows", [47, "people.csv", {"email": ["ana@example.org"]}, b"x"])
def test_what_has_no_rows_is_told(rows: Any) -> None:
    with pytest.raises(MessageError, match="Rows must be a table or several dicts"):
        mailconn.merge(rows, **LETTER)


@pytest.mark.parametrize(
    "rows", [["ana@example.org"], [("ana@example.org", "Ana")], [7], pandas.DataFrame(PEOPLE).iterrows()]
)
def test_a_row_whose_values_have_no_names_is_told(rows: Any) -> None:
    with pytest.raises(MessageError, match="whose values have no names"):
        list(mailconn.merge(rows, **LETTER))


def test_functions_of_the_row_see_its_cells_by_name() -> None:
    rows = pandas.DataFrame(
        {"First name": ["Ana"], "email": ["ana@example.org"], "due": [pandas.NaT], "n": [numpy.nan]}
    )
    seen: list[Any] = []

    def content(row: Any) -> str:
        seen.append((row["First name"], row.email, row["due"], row.n, dict(row), "email" in row, len(row)))
        with pytest.raises(AttributeError, match="no 'nope'"):
            row.nope  # noqa: B018  # it is what raises
        return "x"

    (message,) = merged(
        rows,
        to=lambda row: [row.email, "boss@example.org"],
        cc=lambda _: None,
        subject=lambda row: f"For {row['First name']} {{{{ 7 * 7 }}}}",
        content=content,
        key=lambda row: row.email.upper(),
        attachments=lambda row: {"a.txt": row.email},
    )
    assert recipients(message) == ["ana@example.org", "boss@example.org"]
    assert message["Subject"] == "For Ana {{ 7 * 7 }}"
    assert attached(message) == {"a.txt": b"ana@example.org"}
    cells = {"First name": "Ana", "email": "ana@example.org", "due": None, "n": None}
    assert seen == [("Ana", "ana@example.org", None, None, cells, True, 4)]


def test_a_function_that_fails_says_for_which_row_and_field() -> None:
    assert faults(PEOPLE[:1], to=lambda row: row["emial"]) == [
        "row 0: to: the row has no 'emial'. Did you mean 'email'?"
    ]
    assert faults(PEOPLE[:1], subject=lambda _: 1 / 0) == ["row 0: subject: ZeroDivisionError: division by zero"]
    assert faults(PEOPLE[:1], subject=lambda _: None) == ["row 0: None is not text."]
    merge = mailconn.merge(PEOPLE, **(LETTER | {"content": lambda row: 1 / (row.id - 2)}))
    with pytest.raises(MessageError, match=r"^Row 1: content: ZeroDivisionError"):
        list(merge)


def test_columns_that_are_no_identifiers_are_in_the_row() -> None:
    rows = [{"E-Mail": "ana@example.org", "First name": "Ana", "class": "A", "row": 5, 7: "seven"}]
    (message,) = merged(rows[:1], to="E-Mail", subject="{{ row }}", content="{{ class }} {{ row }}")
    assert text_of(message) == "A 5\n"
    del rows[0]["row"]
    (message,) = merged(
        rows, to="E-Mail", subject="News", content='{{ row["First name"] }} {{ row["7"] }} {{ row["E-Mail"] }}'
    )
    assert text_of(message) == "Ana seven ana@example.org\n"
    assert faults(rows, to="E-Mail", subject='{{ row["Frist name"] }}', content="Text")[0].startswith(
        "row 0: The template refers to something that does not exist:"
    )


def test_levels_of_columns_and_of_the_index_are_columns() -> None:
    rows = pandas.DataFrame(
        [["ana@example.org", 3]],
        columns=pandas.MultiIndex.from_tuples([("who", "email"), ("churn", "")]),
        index=pandas.MultiIndex.from_tuples([("North", 47)], names=["team", "week"]),
    )
    (message,) = merged(
        rows, to="who_email", subject="{{ team }}", content="{{ week }}: {{ churn }}", key="{{ team }}-{{ week }}"
    )
    assert (message["Subject"], text_of(message)) == ("North", "47: 3\n")
    assert (
        mailconn.merge(rows, to="who_email", subject="News", content="Text", key="{{ team }}-{{ week }}")[0].key
        == "North-47"
    )


@pytest.mark.parametrize(
    "rows",
    [
        pandas.DataFrame([["a@example.org", "b@example.org"]], columns=["email", "email"]),
        pandas.DataFrame([["a@example.org", 1, 2]], columns=pandas.Index(["email", 1, "1"])),
        pandas.DataFrame([["a@example.org"]], columns=["email"], index=pandas.Index([1], name="email")),
    ],
)
def test_two_columns_of_one_name_are_told(rows: Any) -> None:
    with pytest.raises(MessageError, match=r"The rows have 2 columns '(email|1)'"):
        mailconn.merge(rows, to="email", subject="News", content="Text")


def test_two_columns_of_one_name_in_a_query_are_told() -> None:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    rows = connection.execute("select 'a@example.org' as email, 1 as id, 2 as id").fetchall()
    connection.close()
    with pytest.raises(MessageError, match="The rows have 2 columns 'id'"):
        mailconn.merge(rows, to="email", subject="News", content="Text")


def test_numbers_and_dates_of_a_table_read_as_people_write_them() -> None:
    rows = pandas.DataFrame(
        {
            "email": ["ana@example.org", "bea@example.org"],
            "customer": [1001.0, numpy.nan],
            "share": numpy.array([0.1, 0.25], "float32"),
            "due": pandas.to_datetime(["2026-11-22", "2026-11-23"]),
            "price": [Decimal("1E+2"), Decimal("10.50")],
            "day": [date(2026, 11, 22), None],
            "kind": pandas.Categorical(["a", "b"]),
            "count": pandas.array([3, None], "Int64"),
            "sure": pandas.array([True, None], "boolean"),
        }
    )
    source = "{{ customer or '' }}|{{ share }}|{{ due }}|{{ price }}|{{ day or '' }}|{{ kind }}|{{ count or 0 }}|{{ sure is none }}"
    texts = [text_of(message) for message in merged(rows, subject="News", content=source)]
    assert texts == [
        "1001|0.1|2026-11-22|100|2026-11-22|a|3|False\n",
        "|0.25|2026-11-23|10.50||b|0|True\n",
    ]
    for table in (
        polars.from_pandas(rows.drop(columns=["price"])),
        pyarrow.Table.from_pandas(rows.drop(columns=["price"])),
    ):
        assert text_of(merged(table, subject="News", content="{{ share }}")[0]) == "0.1\n"
    assert mailconn.merge(rows.head(1), to="email", subject="News", content="Text", key="customer")[0].key == "1001"
    assert mailconn.merge(rows, to="email", subject="News", content="Text", key="due")[1].key == "2026-11-23"


def test_an_empty_cell_is_none_and_false_and_is_never_printed() -> None:
    rows = [
        {"email": "ana@example.org", "x": value}
        for value in [
            None,
            float("nan"),
            numpy.float32("nan"),
            pandas.NaT,
            pandas.NA,
            Decimal("NaN"),
            numpy.datetime64("NaT", "s"),
        ]
    ]
    source = '{{ x or "or" }} {{ x | default("default") }} {{ x is none }} {{ x is defined }} {{ x == None }} {{ x != None }} {% if x %}x{% endif %} {{ row.x or 1 }}'
    for row in rows:
        (message,) = merged([row], subject="News", content=source)
        assert text_of(message).strip() == "or default True False True False  1"
    for printed in (
        "{{ x }}",
        "{{ x | upper }}",
        "{{ '%s' % x }}",
        "{{ x ~ 'a' }}",
        "{{ x + 1 }}",
        "{{ row.x }}",
        "{% for a in x %}{% endfor %}",
        "{{ x | length }}",
        "{{ '%.1f' | format(x) }}",
    ):
        for row in rows:
            assert len(faults([row], subject="News", content=printed)) == 1
    assert text_of(merged([{"email": "ana@example.org", "x": ""}], subject="News", content="[{{ x }}]")[0]) == "[]\n"


def test_addresses_have_the_names_that_the_row_says() -> None:
    rows = [
        {"email": "ana@example.org", "name": "Ева Иванова"},
        {"email": "bea@bücher.example", "name": 'Smith, "Bea" (Dr.)'},
        {"email": "<c@example.org>", "name": ""},
    ]
    messages = merged(
        rows[:2], to="{{ name }} <{{ email }}>", subject="News", content="Text", cc='"{{ name }}" <{{ email }}>'
    )
    assert [str(message["To"].addresses[0].display_name) for message in messages] == [row["name"] for row in rows[:2]]
    assert [str(message["Cc"].addresses[0].display_name) for message in messages] == [row["name"] for row in rows[:2]]
    assert recipients(messages[1])[0] == "bea@xn--bcher-kva.example"
    assert recipients(merged(rows[2:], subject="News", content="Text")[0]) == ["c@example.org"]


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("emails", ["a@example.org", "b@example.org"]),
        ("{{ emails }}", ["a@example.org", "b@example.org"]),
        ("{{ user }}@example.org", ["ana@example.org"]),
        ("{{ name }} <{{ user }}@example.org>, boss@example.org", ["ana@example.org", "boss@example.org"]),
        (
            ["emails", "{{ user }}@example.org", lambda _: None, "boss@example.org"],
            ["a@example.org", "b@example.org", "ana@example.org", "boss@example.org"],
        ),
        ("several", ["a@example.org", "b@example.org"]),
        ("contact", ["c@example.org"]),
    ],
)
def test_whom_a_message_is_to_may_be_said_in_many_ways(to: Any, expected: list[str]) -> None:
    row = {
        "emails": "a@example.org, b@example.org",
        "user": "ana",
        "name": "Ana, of <us>",
        "several": ["a@example.org", "b@example.org"],
        "contact": "Smith, Cid <c@example.org>",
    }
    (message,) = merged([row], to=to, subject="News", content="Text")
    assert recipients(message) == expected


HOSTILE = [
    "eve@evil.example",
    "Eve <eve@evil.example>, Ana",
    'x" <eve@evil.example>, "y',
    "eve@evil.example, ana",
    "ana>, <eve@evil.example",
    "eve@evil.example>, <ana",
    'eve@evil.example>, "Ana" <ana',
    "a\r\nBcc: eve@evil.example",
    "a\nBcc: eve@evil.example",
    "eve@evil.example\0",
    "=?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
    "ana\u2028Bcc: eve@evil.example",
    "\udcff",
]


@given(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.text(st.one_of(st.sampled_from(list('<>@,;:"\\()\r\n =?')), st.characters()), max_size=20),
    ),
    st.sampled_from(
        [
            "{{ name }} <ana@example.org>",
            '"{{ name }}" <ana@example.org>',
            "Ana {{ name }} <ana@example.org>",
            "{{ name }} <ana@example.org>, boss@example.org",
        ]
    ),
)
@settings(max_examples=300)
def test_no_name_adds_a_recipient_or_a_header(name: str, to: str) -> None:
    try:
        merge = mailconn.merge(
            [{"name": name}], to=to, subject="{{ name }}", content="Text", headers={"X-Name": "{{ name }}"}
        )
    except MessageError:
        return
    message = travelled(merge[0])
    assert recipients(merge[0]) == ["ana@example.org", *(["boss@example.org"] if "boss" in to else [])]
    assert {*message.keys()} <= {
        "Date",
        "To",
        "Subject",
        "Message-ID",
        "X-Name",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    }


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{{ row.items }}", "items"),
        ("{{ range }}", "safe_range"),
        ("{{ dict }}", "dict"),
        ("{{ name.upper }}", "upper"),
    ],
)
def test_a_function_that_is_not_called_is_told_and_not_printed(template: str, name: str) -> None:
    row = {"email": "ana@example.org", "items": "three", "name": "Ana"}
    for letter in ({"subject": template, "content": "Text"}, {"subject": "News", "content": template}):
        (fault,) = faults([row], **letter)
        assert f"it prints a function, {name}" in fault
    (message,) = merged([row], subject='{{ row["items"] }} {{ name.upper() }}', content="Text")
    assert message["Subject"] == "three ANA"


@given(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.text(st.one_of(st.sampled_from(list('<>@,;:"\\()\r\n =?')), st.characters()), max_size=20),
    )
)
@settings(max_examples=200)
def test_no_part_of_an_address_adds_another(user: str) -> None:
    for to in (
        "{{ user }}@example.org",
        "<{{ user }}@example.org>",
        "Ana <{{ user }}@example.org>",
        "{{ user }}@{{ at }}",
        'Ana "A" {{ user }}@{{ at }}',
    ):
        try:
            merge = mailconn.merge([{"user": user, "at": "example.org"}], to=to, subject="News", content="Text")
        except MessageError:
            continue
        assert recipients(merge[0]) == [f"{user.strip(' ')}@example.org"]


@pytest.mark.parametrize(
    "attack", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & <b>", "{{ 7 * 7 }}", "**x**"]
)
def test_a_cell_is_never_markup(attack: str) -> None:
    row = {"email": "ana@example.org", "x": attack}
    kinds: list[Any] = [
        HTML("<p>[{{ x }}]</p>"),
        Markdown("[{{ x }}]"),
        Template("<p>[{{ x }}]</p>", "html"),
        "[{{ x }}]",
    ]
    for content in kinds:
        (message,) = merged([row], subject="News", content=[content, pandas.DataFrame({"a": [1]})])
        assert f"[{attack}]" in text_of(message)
        page = html_of(message)
        assert f"[{attack}]" in words_of(page)
        assert harmless(page)
        assert "strong" not in [tag for tag, _ in tags_of(page)]


def test_a_cell_of_ten_million_characters_is_carried_and_told_in_a_line() -> None:
    large = "x" * 10_000_000
    (message,) = merged([{"email": "ana@example.org", "x": large}], subject="News", content="{{ x }}")
    assert text_of(message) == f"{large}\n"
    (fault,) = faults([{"email": large, "x": 1}], subject="News", content="Text")
    assert len(fault) < 400
    (fault,) = faults([{"email": "ana@example.org", "x": large}], subject="News", content="Text", key="x")
    assert fault == "row 0: The key has 10000000 characters; at most 500 are allowed."


def test_attachments_are_those_of_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2, 3):
        Path(f"{number}.pdf").write_bytes(b"%PDF" + bytes([48 + number]))
    Path("terms.txt").write_text("Terms")
    rows = [person | {"file": f"{person['id']}.pdf" if person["id"] != 2 else None} for person in PEOPLE]
    for way in ("{{ id }}.pdf", tmp_path / "{{ id }}.pdf", lambda row: f"{row.id}.pdf", ["{{ id }}.pdf"]):
        assert [attached(message) for message in merged(rows, attachments=way)] == [
            {f"{n}.pdf": b"%PDF" + bytes([48 + n])} for n in (1, 2, 3)
        ]
    assert [list(attached(message)) for message in merged(rows, attachments="file")] == [["1.pdf"], [], ["3.pdf"]]
    several: Any = [
        "terms.txt",
        {"invoice-{{ id }}.csv": lambda row: pandas.DataFrame({"n": [row.id]}), "x.txt": "{{ id }}"},
        ("y-{{ id }}.bin", b"y"),
        lambda _: None,
    ]
    found = attached(merged(rows, attachments=several)[1])
    assert list(found) == ["terms.txt", "invoice-2.csv", "x.txt", "y-2.bin"]
    assert found["x.txt"] == b"{{ id }}"
    assert found["invoice-2.csv"].split() == [b"n", b"2"]
    Path("2.pdf").unlink()
    assert faults(rows, attachments="{{ id }}.pdf")[0].startswith("row 1: The attachment '2.pdf' does not exist")
    with open("terms.txt", "rb") as file, pytest.raises(MessageError, match="read only once"):  # noqa: PTH123  # as people do
        mailconn.merge(rows, **LETTER, attachments=file)


@pytest.mark.parametrize("hostile", ["../secret", "*", "/etc/passwd", "..\\secret", "", "a/../../secret", "[0-9]"])
def test_no_cell_leads_to_another_file(hostile: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "1.txt").write_text("one")
    row = {"email": "ana@example.org", "id": hostile}
    (fault,) = faults([row], subject="News", content="Text", attachments=f"{tmp_path}/out/{{{{ id }}}}.txt")
    assert "cannot be part of the path" in fault


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        ("out/{{ first }}{{ second }}.txt", ".", "./secret"),
        ("out/.{{ second }}.txt", "", "./secret"),
        ("out/{{ first }}.{{ second }}.txt", "", "./secret"),
        ("{{ first }}/secret.txt", "~", ""),
        ("{{ first }}{{ second }}/secret.txt", "~", "root"),
        ("{{ first }}secret.txt", "\\\\host\\", ""),
    ],
)
def test_no_cell_leads_to_another_file_beside_another_cell_or_a_sign_of_the_template(
    path: str, first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    row = {"email": "ana@example.org", "first": first, "second": second}
    (fault,) = faults([row], subject="News", content="Text", attachments=path)
    assert "cannot be part of the path" in fault


def test_a_path_that_goes_up_or_begins_in_a_home_by_its_template_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1.txt").write_text("one")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for path in ("../{{ id }}.txt", "~/{{ id }}.txt", f"{tmp_path}/{{{{ id }}}}.txt"):
        (message,) = merged([{"email": "ana@example.org", "id": 1}], subject="News", content="Text", attachments=path)
        assert list(attached(message)) == ["1.txt"]


def test_headers_and_variables_go_with_every_row() -> None:
    messages = merged(
        PEOPLE,
        content=["Week {{ week }}", Template("# {{ name }}"), pandas.DataFrame({"a": [1]})],
        variables={"week": 47, "name": "nobody"},
        headers={"List-Unsubscribe": "<https://example.org/u?id={{ id }}>", "X-Tag": ["a{{ id }}", "b"]},
        reply_to="{{ name }} <r{{ id }}@example.org>",
        priority="high",
    )
    second = messages[1]
    assert second["List-Unsubscribe"] == "<https://example.org/u?id=2>"
    assert second.get_all("X-Tag") == ["a2", "b"]
    assert second["Reply-To"] == "Bea <r2@example.org>"
    assert second["X-Priority"].startswith("2")
    assert "# Bea" in text_of(second)
    assert "Week 47" in text_of(second)


def test_the_sender_may_be_the_rows_own() -> None:
    rows = [{"email": "ana@example.org", "manager": "Eve, of <us>", "by": "eve@example.org"}]
    (message,) = (
        travelled(each)
        for each in mailconn.merge(rows, to="email", subject="News", content="Text", sender="{{ manager }} <{{ by }}>")
    )
    assert message["From"].addresses[0].display_name == "Eve, of <us>"
    assert message["From"].addresses[0].addr_spec == "eve@example.org"


def test_a_merge_needs_no_jinja2_where_it_has_no_template(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setitem(sys.modules, "jinja2", None)
    merge = mailconn.merge(PEOPLE, to="email", subject="Hello", content=lambda row: row.name, key="id")
    assert [text_of(message) for message in merge] == ["Ana\n", "Bea\n", "Ева Иванова\n"]
    with pytest.raises(MessageError, match="Templates need Jinja2"):
        mailconn.merge(PEOPLE, **LETTER)


def test_a_message_of_a_merge_is_a_message_like_any_other() -> None:
    message = mailconn.merge(PEOPLE, key="id", **LETTER)[0]
    assert isinstance(message, EmailMessage)
    assert isinstance(message, mailconn.MergedMessage)
    assert "Dear Ana" in repr(mailconn.preview(message))
    assert mailconn.merge(PEOPLE, **LETTER)[0].key is None
    assert repr(mailconn.merge(PEOPLE, **LETTER)) == "A merge of 3 rows"


def test_rows_are_read_as_they_are_when_the_table_changes_later() -> None:
    frame = pandas.DataFrame(PEOPLE)
    merge = mailconn.merge(frame, **LETTER)
    frame.loc[0, "email"] = "not an address"
    assert recipients(merge[0]) == ["ana@example.org"]
    assert list(rows_of(frame))[0]["email"] == "not an address"  # noqa: RUF015  # all of them are read


def test_a_row_goes_to_another_process_and_shows_its_cells() -> None:
    row = next(iter(rows_of([{"name": "Ana", "_own": 1}])))
    for copied in (pickle.loads(pickle.dumps(row)), copy.deepcopy(row)):
        assert copied == row == {"name": "Ana", "_own": 1}
        assert copied.name == "Ana"
    assert repr(row) == "Row({'name': 'Ana', '_own': 1})"


@pytest.mark.parametrize("what", ["to", "subject", "content", "attachments", "key"])
def test_what_is_no_template_is_told_at_once_and_what_a_column_with_a_space_is_called(what: str) -> None:
    options: dict[str, Any] = {"to": "email", "subject": "News", "content": "Text", what: "x {{ First name }}"}
    for rows in ([], [{"First name": "Ana", "email": "ana@example.org"}]):
        with pytest.raises(MessageError, match=r"The template has an error in line 1") as caught:
            mailconn.merge(rows, **options)
        assert not isinstance(caught.value, mailconn.MergeError)
        assert caught.value.hint == ('A column with such a name is {{ row["First name"] }}.' if rows else "")
    with pytest.raises(MessageError, match="No filter named 'shout'"):
        mailconn.merge([], to="email", subject="News", content=Template("{{ x | shout }}"))
