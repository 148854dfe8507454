"""What the author of a Styler hides is in no part of the message."""

from __future__ import annotations

import io
from email.message import EmailMessage
from typing import Any

import openpyxl
import pandas
import pytest

from mailconn_jupyter.message.render import Options, render
from tests.support.composed import arrived, attached, html_of, tags_of, text_of


def staff(rows: int = 60) -> Any:
    names = [f"name{number}" for number in range(rows)]
    return pandas.DataFrame({"name": names, "salary": [90_000 + number for number in range(rows)]}).style


def everything(message: EmailMessage) -> str:
    return "\n".join([text_of(message), html_of(message), *(data.decode() for data in attached(message).values())])


def test_a_hidden_column_is_not_in_the_file_either() -> None:
    message = arrived(staff().hide(["salary"], axis="columns"))
    assert attached(message)["table.csv"].startswith(b"name\r\nname0\r\n")
    assert "salary" not in everything(message)
    assert "90059" not in everything(message)


def test_hidden_rows_are_not_in_the_file_and_not_counted() -> None:
    message = arrived(staff(80).hide([0, 79]))
    assert "the first 50 of 78 rows" in text_of(message)
    assert "name0\r\n" not in everything(message)
    assert "name79" not in everything(message)
    assert not attached(arrived(staff(80).hide(list(range(50)))))


@pytest.mark.parametrize("options", [{}, {"index": True}])
def test_a_hidden_index_is_not_in_the_file(options: dict[str, Any]) -> None:
    secret = pandas.DataFrame({"a": range(60)}, index=[f"ssn{number}" for number in range(60)])
    assert "ssn" not in everything(arrived(secret.style.hide(axis="index"), **options))
    assert b"ssn1," in attached(arrived(secret.style))["table.csv"]


def test_a_hidden_level_of_the_index_is_not_in_the_file() -> None:
    places = pandas.MultiIndex.from_product(
        [[f"ssn{number}" for number in range(30)], ["x", "y"]], names=["who", "what"]
    )
    message = arrived(pandas.DataFrame({"v": range(60)}, index=places).style.hide(axis="index", level="who"))
    assert attached(message)["table.csv"].startswith(b"what,v\r\nx,0\r\n")
    assert "ssn" not in everything(message)


def test_what_is_hidden_is_not_attached_under_a_name_of_ones_own() -> None:
    hidden = staff(3).hide(["salary"], axis="columns").hide(axis="index")
    message = arrived("Staff.", attachments={"staff.csv": hidden, "staff.xlsx": hidden, "staff.parquet": hidden})
    files = attached(message)
    assert files["staff.csv"] == b"name\r\nname0\r\nname1\r\nname2\r\n"
    assert list(pandas.read_excel(io.BytesIO(files["staff.xlsx"])).columns) == ["name"]
    assert list(pandas.read_parquet(io.BytesIO(files["staff.parquet"])).columns) == ["name"]


def test_no_row_is_shown_when_none_is_wanted() -> None:
    part = render(staff(3), Options(rows=0))
    assert "name0" not in part.text + str(part.html)
    assert "3 rows, none shown; table.csv holds all of them" in part.text


def test_the_index_goes_when_it_is_not_wanted() -> None:
    assert render(staff(2), Options(index=False)).text.split("\n")[-2:] == ["name0   90000", "name1   90001"]
    assert render(staff(2), Options(index=True)).text.split("\n")[-1] == "1  name1   90001"


def test_columns_that_are_not_shown_are_said_and_attached() -> None:
    wide = pandas.DataFrame([[1] * 60, [2] * 60]).style
    part = render(wide)
    assert "... the first 24 of 60 columns; table.csv holds all of them" in part.text
    assert not render(wide.hide(list(range(40)), axis="columns")).files


def test_a_row_with_a_style_of_its_own_stands_where_the_others_do() -> None:
    stripes = [{"selector": "tr:nth-child(even)", "props": "background:#eee"}]
    page = str(render(staff(4).set_table_styles(stripes)).html)
    rows = [attributes for tag, attributes in tags_of(page) if tag == "tr"]
    assert {attributes["align"] for attributes in rows} == {"right"}
    assert sum("#eee" in attributes.get("style", "") for attributes in rows) == 2


def test_tips_leave_nothing_behind_in_the_cells() -> None:
    tips = pandas.DataFrame({"name": ["long ago", "of late"]})
    page = str(render(staff(2).set_tooltips(tips)).html)
    assert "span" not in page
    assert page == str(render(staff(2)).html)


FORMATS = ["csv", "tsv", "json", "jsonl", "xlsx", "parquet", "feather"]


def read_back(kind: str, data: bytes) -> str:
    """All that a file says, as one text."""
    if kind == "xlsx":
        return str(list(openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].values))
    if kind in {"parquet", "feather"}:
        reader = pandas.read_parquet if kind == "parquet" else pandas.read_feather
        return f"{data!r} {reader(io.BytesIO(data)).reset_index().to_csv()}"
    return data.decode("utf-8-sig")


def hidden_ways() -> dict[str, Any]:
    people = pandas.DataFrame(
        {"name": ["Ana", "Bob", "SECRET row"], "kind": pandas.Categorical(["ok", "ok", "SECRET kind"])},
        index=pandas.Index(["SECRET 1", "SECRET 2", "SECRET 3"], name="SECRET name"),
    )
    people.attrs["note"] = "SECRET note"
    plain = people.reset_index(drop=True)
    levels = pandas.MultiIndex.from_tuples([("SECRET level", "a"), ("SECRET level", "b")], names=["SECRET names", "n"])
    return {
        "index": people.iloc[:2].assign(kind="x").style.hide(axis="index"),
        "rows": plain.style.hide([2]),
        "levels of the header": plain.iloc[:2].set_axis(levels, axis="columns").style.hide(axis="columns", level=0),
        "the whole header": pandas.DataFrame([[1, 2]], columns=["SECRET a", "SECRET b"]).style.hide(axis="columns"),
        "names of the index": pandas.DataFrame({"a": [1]}, index=pandas.Index(["x"], name="SECRET")).style.hide(
            names=True
        ),
    }


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("way", hidden_ways())
@pytest.mark.parametrize("options", [{}, {"index": True}], ids=["", "index"])
def test_nothing_that_is_hidden_is_in_a_file_of_any_format(way: str, kind: str, options: dict[str, Any]) -> None:
    message = arrived("See:", attachments={f"t.{kind}": hidden_ways()[way]}, **options)
    said = read_back(kind, attached(message)[f"t.{kind}"])
    assert "SECRET" not in said
    assert len(said) > 2


def test_rows_that_stand_under_the_others_are_counted_and_attached() -> None:
    numbers = pandas.DataFrame({"a": range(10)})
    long = pandas.DataFrame({"a": range(1000, 1200)})
    message = arrived(numbers.style.concat(long.style))
    assert "... 60 of 210 rows; table.csv holds all of them" in text_of(message)
    assert attached(message)["table.csv"].split(b"\r\n")[-2:] == [b"199,1199", b""]
    total = pandas.DataFrame({"a": range(100)}).style
    message = arrived(total.concat(total.data.agg(["sum"]).style))
    assert attached(message)["table.csv"].endswith(b"99,99\r\nsum,4950\r\n")
    assert not render(numbers.style.concat(numbers.agg(["sum"]).style)).files
